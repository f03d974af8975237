"""The environment that the parts of the platform inherit from the runner.

Servers and libraries read many variables: proxies, `OTEL_*` in daprd, `PGSSLMODE` in PostgreSQL's client,
`JAVA_TOOL_OPTIONS`. So a part inherits only a short list, and gets the variables that the runner sets for it.
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
