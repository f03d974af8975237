"""Optional optimizations of reads (ADR 13 and 15); a plain Starlette route would do the same work."""
