"""The platform on Kubernetes: its manifests, its credentials and its deployment."""
