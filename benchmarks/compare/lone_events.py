"""Lone events: their time from publication until they are stored, their cost, and the cost of waiting for them."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import aiohttp

from benchmarks.compare import workloads
from benchmarks.compare.bench_platform import BenchPlatform
from benchmarks.compare.results import Cost, Lone
from benchmarks.compare.stores import WrongResult
from dapr_hero.contract.kinds import Kind
from dapr_hero.sidecar import tokens

# Events a second.
RATE = 50
IDLE_SECONDS = 5
_DEADLINE_SECONDS = 10
_WARM = 20
# An event is stored by then, so that its cost is counted.
_SETTLED_SECONDS = 0.3


async def lone(bench: BenchPlatform, kind: Kind, count: int) -> Lone:
    """Return the times and the cost of lone events. They are measured apart, since the polling has a cost too."""
    s = bench.settings
    url = f"http://127.0.0.1:{s.dapr_http_port}/v1.0/publish/{s.pubsub_name}/{s.pubsub_topic}"
    headers = {"content-type": "application/cloudevents+json", **tokens.to_daprd(s)}
    async with aiohttp.ClientSession(headers=headers, raise_for_status=True) as http:

        async def publish(name: str) -> float:
            began = time.perf_counter()
            async with http.post(url, data=workloads.encoded(kind, f"{name}-{kind.name}")):
                pass
            return (time.perf_counter() - began) * 1000

        latency, published = [], []

        async def watch(number: int) -> None:
            name = f"watched-{number}"
            began = time.perf_counter()
            publishing = asyncio.ensure_future(publish(name))
            latency.append(await _until_stored(bench, kind, f"{name}-{kind.name}", began))
            published.append(await publishing)

        async def send(number: int) -> None:
            await publish(f"counted-{number}")

        await _at_rate(_WARM + count, watch)
        return Lone(latency[_WARM:], published[_WARM:], await _cost(bench, count, send))


async def idle(bench: BenchPlatform) -> dict[str, float]:
    """Return the CPU of each process while there is no event, in percent of a core."""
    meter = bench.meter()
    before = meter.cpu_seconds()
    await asyncio.sleep(IDLE_SECONDS)
    after = meter.cpu_seconds()
    return {name: (after[name] - before[name]) / IDLE_SECONDS * 100 for name in after}


async def _at_rate(count: int, action: Callable[[int], Awaitable[None]]) -> None:
    began = time.perf_counter()
    for number in range(count):
        await asyncio.sleep(max(0.0, began + number / RATE - time.perf_counter()))
        await action(number)


async def _cost(bench: BenchPlatform, count: int, action: Callable[[int], Awaitable[None]]) -> Cost:
    meter = bench.meter()
    before, began = meter.cpu_seconds(), time.monotonic()
    await _at_rate(count, action)
    await asyncio.sleep(_SETTLED_SECONDS)
    return Cost.of(count, time.monotonic() - began, before, meter.cpu_seconds())


async def _until_stored(bench: BenchPlatform, kind: Kind, id: str, began: float) -> float:
    """Return the milliseconds until the item is stored.

    It polls without pauses: the event loop's timer has a resolution of one millisecond, which is too coarse.
    """
    while not await bench.stores.has(kind, id):
        if time.perf_counter() - began > _DEADLINE_SECONDS:
            raise WrongResult(f"{id} is not stored after {_DEADLINE_SECONDS} s")
    return (time.perf_counter() - began) * 1000
