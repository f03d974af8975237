"""Latency: how long a lone event takes from its publication until it is stored."""

import asyncio
import time

import aiohttp

from benchmarks.compare import workloads
from benchmarks.compare.bench_platform import BenchPlatform
from benchmarks.compare.stores import WrongResult
from dapr_hero.contract.kinds import Kind
from dapr_hero.sidecar import tokens

RATE = 50
_DEADLINE_SECONDS = 10
_WARM = 20


async def latencies(bench: BenchPlatform, kind: Kind, count: int) -> list[float]:
    """Return the latency of each event at a low rate, in milliseconds, found by polling the store.

    It polls without pauses: the event loop's timer has a resolution of one millisecond, which is too coarse.
    """
    s = bench.settings
    url = f"http://127.0.0.1:{s.dapr_http_port}/v1.0/publish/{s.pubsub_name}/{s.pubsub_topic}"
    headers = {"content-type": "application/cloudevents+json", **tokens.to_daprd(s)}
    found = []
    async with aiohttp.ClientSession(headers=headers, raise_for_status=True) as http:
        began = time.perf_counter()
        for number in range(_WARM + count):
            await asyncio.sleep(max(0.0, began + number / RATE - time.perf_counter()))
            id = f"lone-{kind.name}-{number}"
            found.append(await _until_stored(bench, http, url, kind, id))
    return found[_WARM:]


async def _until_stored(
    bench: BenchPlatform, http: aiohttp.ClientSession, url: str, kind: Kind, id: str
) -> float:
    body = workloads.encoded(kind, id)
    began = time.perf_counter()
    publishing = asyncio.ensure_future(_publish(http, url, body))
    while not await bench.stores.has(kind, id):
        if time.perf_counter() - began > _DEADLINE_SECONDS:
            raise WrongResult(f"{id} is not stored after {_DEADLINE_SECONDS} s")
    passed = (time.perf_counter() - began) * 1000
    await publishing
    return passed


async def _publish(http: aiohttp.ClientSession, url: str, body: bytes) -> None:
    async with http.post(url, data=body):
        pass
