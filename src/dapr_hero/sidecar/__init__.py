"""How an app sees its daprd: the interface of the modes, readiness, tokens and versioned state."""
