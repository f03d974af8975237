"""products: a gRPC service that keeps products in a Dapr state store of its own."""
