"""The rounds: each mode runs the same workloads in the same order, on a new platform."""

import time
from typing import NamedTuple

from benchmarks.compare.bench_platform import BenchPlatform, bench_platform
from benchmarks.compare.drains import drain, drain_into_no_op
from benchmarks.compare.lone_events import idle, lone
from benchmarks.compare.reads import read
from benchmarks.compare.results import Extra, Lone, Measured, Round
from benchmarks.compare.workloads import Workload
from dapr_hero.contract.kinds import KINDS
from dapr_hero.contract.mode import Mode
from dapr_hero.local.services import INVENTORY
from dapr_local.install.runtime import DaprRuntime
from dapr_local.progress import Advance

MIXED = "mixed"
NOTHING = "nothing"
# The features that are off in the rounds, by their settings in a bench.
EXTRAS = {"tracing": "tracing", "mTLS": "mtls"}


class Size(NamedTuple):
    """The numbers of events, requests and rounds."""

    events: int
    read_seconds: int
    lone_events: int


FULL = Size(events=40_000, read_seconds=4, lone_events=150)
QUICK = Size(events=10_000, read_seconds=2, lone_events=50)
# A start; ingest of each kind, mixed and into nothing; reads and lone events of each kind; a second start.
ROUND_STEPS = 1 + len(KINDS) + 2 + 2 * len(KINDS) + 1
# A start, lone events of each kind, and ingest.
SINGLE_STEPS = 1 + len(KINDS) + 1
# Events that are delivered one by one take longer.
_SINGLE_SHARE = 0.25
EXTRA_STEPS = 1 + 2 * len(KINDS)


async def run_round(mode: Mode, runtime: DaprRuntime, size: Size, advance: Advance) -> Round:
    """Everything in one mode, with tracing and mTLS off. Raises: LocalError."""
    async with bench_platform(mode, runtime) as on:
        advance(1)
        singles = _singles(size)
        mixed = Workload(MIXED, KINDS, size.events, MIXED)
        ingest = {}
        for workload in [*singles, mixed]:
            ingest[workload.name] = await drain(on, workload)
            advance(1)
        ingest[NOTHING] = await drain_into_no_op(on, Workload(NOTHING, KINDS[:1], size.events, NOTHING))
        advance(1)
        reads = {}
        for workload in singles:
            reads[workload.name] = await read(on, workload, size.read_seconds)
            advance(1)
        waiting = await idle(on)
        alone = await _lone(on, size, advance)
        rss = on.meter().rss_mib()
        start = await _start_seconds(on)
        advance(1)
        return Round(mode.value, ingest, alone, waiting, reads, start, rss)


async def run_single(mode: Mode, runtime: DaprRuntime, size: Size, advance: Advance) -> Measured:
    """Lone events and ingest, with events delivered one by one. Raises: LocalError."""
    async with bench_platform(mode, runtime, bulk_subscribe=False) as on:
        advance(1)
        waiting = await idle(on)
        alone = await _lone(on, size, advance)
        few = Workload("single", KINDS[:1], int(size.events * _SINGLE_SHARE), "single")
        ingest = await drain(on, few)
        advance(1)
        return Measured(mode.value, {KINDS[0].name: ingest}, alone, waiting)


async def run_extra(mode: Mode, what: str, runtime: DaprRuntime, size: Size, advance: Advance) -> Extra:
    """Ingest and reads with one of EXTRAS on. Raises: LocalError."""
    async with bench_platform(mode, runtime, **{EXTRAS[what]: True}) as on:
        advance(1)
        ingest, reads = {}, {}
        for workload in _singles(size):
            ingest[workload.name] = await drain(on, workload)
            advance(1)
            reads[workload.name] = await read(on, workload, size.read_seconds)
            advance(1)
        return Extra(mode.value, what, ingest, reads)


async def _lone(on: BenchPlatform, size: Size, advance: Advance) -> dict[str, Lone]:
    found = {}
    for kind in KINDS:
        found[kind.name] = await lone(on, kind, size.lone_events)
        advance(1)
    return found


def _singles(size: Size) -> list[Workload]:
    return [Workload(kind.name, (kind,), size.events, kind.name) for kind in KINDS]


async def _start_seconds(on: BenchPlatform) -> float:
    """From the start of the process until inventory is ready, with everything else up."""
    await on.platform.runner.stop(INVENTORY)
    began = time.monotonic()
    await on.platform.runner.start(INVENTORY)
    return time.monotonic() - began
