"""Ingest: how fast, and at what cost, inventory drains a topic that is full when it starts."""

import asyncio
import time

from benchmarks.compare.bench_platform import BenchPlatform
from benchmarks.compare.results import Cost
from benchmarks.compare.stores import WrongResult
from benchmarks.compare.workloads import Workload
from dapr_hero.local.assembly import INVENTORY_DAPRD
from dapr_hero.local.services import INVENTORY
from dapr_local.supervise.process import Process

# The start of the app, its first batches and their first connections are not what an event costs.
_WARM_SHARE = 0.1
_LOOK_SECONDS = 0.02
_DEADLINE_SECONDS = 300


async def drain(bench: BenchPlatform, workload: Workload) -> Cost:
    """Return the cost of an event, measured from a tenth of the backlog to its end. Raises: WrongResult."""
    for part in bench.inventories:
        await bench.platform.runner.stop(part)
    await bench.backlog.fill(workload)
    starting = asyncio.create_task(bench.platform.runner.start(*bench.inventories))
    try:
        cost = await _watch(bench, workload.total)
    finally:
        await starting
    await bench.stores.check(workload)
    return cost


async def drain_into_no_op(bench: BenchPlatform, workload: Workload) -> Cost:
    """Return the cost of an event with a handler that stores nothing: the cost of Dapr itself."""
    await bench.platform.runner.stop(INVENTORY)
    await bench.platform.runner.stop(INVENTORY_DAPRD)
    await bench.backlog.fill(workload)
    async with bench.swapped(INVENTORY, "-m", "benchmarks.compare.no_op_inventory") as nothing:
        starting = asyncio.create_task(bench.platform.runner.start(INVENTORY_DAPRD))
        try:
            cost = await _watch(bench, workload.total, nothing)
        finally:
            await starting
        await bench.platform.runner.stop(INVENTORY_DAPRD)
    await bench.platform.runner.start(INVENTORY, INVENTORY_DAPRD)
    return cost


async def _watch(bench: BenchPlatform, count: int, *others: Process) -> Cost:
    left = await _fallen_to(bench, int(count * (1 - _WARM_SHARE)))
    if not left:
        raise WrongResult(f"a backlog of {count} events is too small to be measured: it was gone at once")
    meter = bench.meter(*others)
    before, began = meter.cpu_seconds(), time.monotonic()
    await _fallen_to(bench, 0)
    return Cost.of(left, time.monotonic() - began, before, meter.cpu_seconds())


async def _fallen_to(bench: BenchPlatform, most: int) -> int:
    deadline = time.monotonic() + _DEADLINE_SECONDS
    while (left := await bench.backlog.left()) > most:
        if time.monotonic() > deadline:
            raise WrongResult(f"{left} events are still not handled after {_DEADLINE_SECONDS} s")
        await asyncio.sleep(_LOOK_SECONDS)
    return left
