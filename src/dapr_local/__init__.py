"""Real Dapr on one machine without Docker, for any app: it knows nothing of the services that use it."""
