"""The command line `dapr-hero`."""
