"""The rules that hold for every mode: items, events, routing, failures. No web framework, no Dapr."""
