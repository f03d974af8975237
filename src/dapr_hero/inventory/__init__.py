"""inventory: receives events, routes and stores them, and serves the items over REST."""
