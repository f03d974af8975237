"""The parts of a platform: the description of a part, its readiness, and one module per real server."""
