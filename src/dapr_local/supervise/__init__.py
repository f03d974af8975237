"""Processes: started, watched and stopped reliably."""
