"""A part of the platform: how it is started, when it is ready, and when it is stopped."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from dapr_local.supervise.process import Probe, Process


class Stage(IntEnum):
    """The order in which parts stop: the highest stage first."""

    STORE = 0
    AUTHORITY = 1
    SIDECAR = 2
    SERVICE = 3


async def _nothing() -> None:
    return None


@dataclass(frozen=True)
class Part:
    """One process of the platform, described; nothing runs yet."""

    name: str
    stage: Stage
    launch: Callable[[], Awaitable[Process]]
    """Prepares what the process needs, files or downloads, and returns it, not started."""
    ready: Probe
    """Tells whether the part can be used."""
    after_ready: Callable[[], Awaitable[None]] = _nothing
    """Called once it is ready, before the parts that need it start."""
    needs: frozenset[str] = frozenset()
    """The parts that must be ready before; one that was not chosen counts as ready."""
    ports: Mapping[str, int] = field(default_factory=dict)
    """Its ports, by the variable that sets each."""
    ready_seconds: float = 30.0
    stop_seconds: float = 10.0
