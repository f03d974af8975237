"""The platform without Docker: one module per real part, and `platform`, which starts and stops them."""
