"""A reference microservice platform on Dapr: four ways to talk to it, one behaviour."""
