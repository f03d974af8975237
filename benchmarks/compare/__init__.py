"""The comparison of the four modes: workloads on the real platform, what is measured of them, the report."""
