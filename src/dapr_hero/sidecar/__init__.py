"""The sidecar as its app sees it: the interface of the modes, readiness, tokens and versioned state."""
