"""What the parts of the platform see of the runner's environment.

Every server reads variables that nobody thinks of: Go and Java their proxies, daprd `OTEL_*`, PostgreSQL's
client `PGSSLMODE`. So a part gets a short list of them, and what the runner sets.
"""

import os

_INHERITED = frozenset(
    {
        *("PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "TZ", "LANG", "LANGUAGE"),
        *("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH"),
        *("PYTHONPATH", "PYTHONHOME"),
        *("GOMAXPROCS", "GOGC", "GOMEMLIMIT"),
    }
)


def clean_environment() -> dict[str, str]:
    """Return the variables of this process that a part inherits."""
    return {name: value for name, value in os.environ.items() if name in _INHERITED or name.startswith("LC_")}
