"""One module per command: it is imported when its command runs."""
