"""The platform without Docker: it describes our parts, and `dapr_local` runs them."""
