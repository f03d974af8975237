"""Gets Dapr's programs: found, downloaded or built."""
