"""Ingest: how fast, and at what cost, inventory drains a topic that is full when it starts."""

import asyncio
import time

from dapr_hero.compare.results import Cost
from dapr_hero.compare.rig import Rig
from dapr_hero.compare.stores import WrongResult
from dapr_hero.compare.workloads import Workload
from dapr_hero.local.assembly import INVENTORY_DAPRD
from dapr_hero.local.process import Process
from dapr_hero.local.services import INVENTORY

# The start of the app, its first batches and their first connections are not what an event costs.
_WARM_SHARE = 0.1
_LOOK_SECONDS = 0.02
_PATIENCE_SECONDS = 300


async def drain(rig: Rig, workload: Workload) -> Cost:
    """What one event costs, from a tenth of the backlog to its end. Raises: WrongResult."""
    for part in rig.inventories:
        await rig.platform.stop(part)
    await rig.backlog.fill(workload)
    starting = asyncio.create_task(rig.platform.start(*rig.inventories))
    try:
        cost = await _watch(rig, workload.total)
    finally:
        await starting
    await rig.stores.check(workload)
    return cost


async def drain_into_nothing(rig: Rig, workload: Workload) -> Cost:
    """The same with a handler that stores nothing and says success: what Dapr itself costs."""
    await rig.platform.stop(INVENTORY)
    await rig.platform.stop(INVENTORY_DAPRD)
    await rig.backlog.fill(workload)
    async with rig.swapped(INVENTORY, "-m", "dapr_hero.compare.nothing") as nothing:
        starting = asyncio.create_task(rig.platform.start(INVENTORY_DAPRD))
        try:
            cost = await _watch(rig, workload.total, nothing)
        finally:
            await starting
        await rig.platform.stop(INVENTORY_DAPRD)
    await rig.platform.start(INVENTORY, INVENTORY_DAPRD)
    return cost


async def _watch(rig: Rig, count: int, *others: Process) -> Cost:
    left = await _fallen_to(rig, int(count * (1 - _WARM_SHARE)))
    if not left:
        raise WrongResult(f"a backlog of {count} events is too small to be measured: it was gone at once")
    meter = rig.meter(*others)
    before, began = meter.cpu_seconds(), time.monotonic()
    await _fallen_to(rig, 0)
    return Cost.of(left, time.monotonic() - began, before, meter.cpu_seconds())


async def _fallen_to(rig: Rig, most: int) -> int:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while (left := await rig.backlog.left()) > most:
        if time.monotonic() > deadline:
            raise WrongResult(f"{left} events are still not handled after {_PATIENCE_SECONDS} s")
        await asyncio.sleep(_LOOK_SECONDS)
    return left
