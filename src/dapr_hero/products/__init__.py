"""products: a gRPC service that keeps products in its own Dapr state store."""
