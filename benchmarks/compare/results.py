"""The results of a comparison, as they are kept in JSON."""

from collections.abc import Mapping
from pathlib import Path
from typing import Self

import msgspec

from dapr_local.errors import LocalError


class Cost(msgspec.Struct, frozen=True):
    """The cost of one event or request."""

    rate: float
    """Events or requests a second."""
    cpu: dict[str, float]
    """Microseconds of CPU for each of them, by process."""

    @classmethod
    def of(cls, count: int, seconds: float, before: Mapping[str, float], after: Mapping[str, float]) -> Self:
        """`before` and `after` are CPU seconds by process."""
        spent = {name: (after[name] - before[name]) / count * 1e6 for name in after}
        return cls(count / seconds, spent)

    @property
    def total(self) -> float:
        """Microseconds of CPU over all processes."""
        return sum(self.cpu.values())


class Reads(msgspec.Struct, frozen=True):
    """Requests for random items over many connections at once."""

    cost: Cost
    p50_ms: float
    p99_ms: float


class Lone(msgspec.Struct, frozen=True):
    """Events that come alone, at a low rate."""

    latency_ms: list[float]
    """From the publication of each until it is stored."""
    publish_ms: list[float]
    """The time of each publish call."""
    cost: Cost


class Measured(msgspec.Struct, frozen=True):
    """The figures of one platform in one mode, with one kind of delivery."""

    mode: str
    ingest: dict[str, Cost]
    """By workload; in "nothing" the handler only says success."""
    lone: dict[str, Lone]
    """By kind."""
    idle: dict[str, float]
    """CPU of each process without events, in percent of a core."""


class Round(Measured, frozen=True):
    """All figures of one platform in one mode, with events delivered in bulk."""

    reads: dict[str, Reads]
    """By kind."""
    start_seconds: float
    rss_mib: dict[str, float]
    """Resident memory after all that, by process."""


class Extra(msgspec.Struct, frozen=True):
    """The cost of a feature that the rounds have off; in one mode, by workload."""

    mode: str
    what: str
    ingest: dict[str, Cost]
    reads: dict[str, Reads]


class Capabilities(msgspec.Struct, frozen=True):
    """The size, dependencies and abilities of a mode, found by experiment."""

    lines: int
    """Of code, in the modules of `dapr_hero.modes` that only this mode or its protocol needs."""
    distributions: list[str]
    """That are loaded when the mode is, and not by the other parts of inventory."""
    abilities: dict[str, str]
    """An optimization that was tried, and its effect."""


class Run(msgspec.Struct, frozen=True):
    """A whole comparison."""

    date: str
    machine: str
    versions: str
    driver: str
    """The program that sent the requests of the reads."""
    rounds: list[Round]
    singles: list[Measured]
    """With events delivered one by one."""
    extras: list[Extra]
    capabilities: dict[str, Capabilities]


def load(path: Path) -> Run:
    """Return an earlier run. Raises: LocalError."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Run)
    except OSError as error:
        raise LocalError(f"{path} cannot be read: {error.strerror}") from None
    except msgspec.DecodeError as error:
        raise LocalError(f"{path} is not a comparison by this version of dapr-hero: {error}") from None


def save(run: Run, path: Path) -> None:
    path.write_bytes(msgspec.json.format(msgspec.json.encode(run), indent=1) + b"\n")
