"""The parts of a platform: what one part is, and how to tell that it is ready."""
