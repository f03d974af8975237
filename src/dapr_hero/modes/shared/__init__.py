"""Code that several modes need: Dapr's HTTP API and the formats in which daprd delivers events."""
