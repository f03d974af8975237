"""Dapr's programs, from the paths and the release URL of the settings."""

from dapr_hero.local.program import PROGRAM
from dapr_hero.settings import Settings
from dapr_local.install import runtime
from dapr_local.install.runtime import DaprRuntime, Sources
from dapr_local.progress import Report


def find(settings: Settings) -> DaprRuntime | None:
    """Return the programs that this machine has, or None. Raises: RuntimeUnavailable."""
    return runtime.find(_sources(settings))


def obtain(settings: Settings, report: Report) -> DaprRuntime:
    """Return the programs; download or build missing ones. Raises: RuntimeUnavailable."""
    return runtime.obtain(_sources(settings), report)


def _sources(settings: Settings) -> Sources:
    return Sources(PROGRAM, settings.dapr_release_url, settings.daprd_path, settings.sentry_path)
