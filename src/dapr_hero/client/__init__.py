"""Clients of a running platform: they publish events, read items and manage dead letters."""
