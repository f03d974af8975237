"""inventory: takes the events in, routes and stores them, and answers for them over REST."""
