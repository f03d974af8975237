"""The platform on Kubernetes: its manifests, and what brings them into a cluster."""
