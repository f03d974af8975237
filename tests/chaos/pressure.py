"""Pressure: what a burst and a stall do to the memory of the processes; all of it lands afterwards."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
import msgspec

from dapr_hero.contract.items import encode
from dapr_hero.settings import Settings
from dapr_hero.sidecar import tokens
from dapr_hero.testing import RunningPlatform, eventually
from dapr_local.progress import Advance
from tests.events import event
from tests.load import Load, differences, streaming
from tests.platform.metrics import of_app

PARTS = ("inventory", "inventory-daprd", "products", "products-daprd")
BURST = 200_000
STALL_SECONDS = 60
_BULK = 500
_BULKS_AT_ONCE = 8
_SAMPLE_SECONDS = 0.2
_DEADLINE_SECONDS = 600


class Memory(msgspec.Struct):
    """Resident memory of one process, in MiB."""

    part: str
    before: float
    peak: float
    after: float


class Pressure(msgspec.Struct):
    what: str
    events: int
    drained_seconds: float
    """From the end of the pressure until everything was stored."""
    memory: list[Memory]


def burst(platform: RunningPlatform, advance: Advance) -> Pressure:
    """Widgets by daprd's bulk publication, as fast as it takes them."""
    before = _stored(platform)
    with _watched(platform) as memory:
        asyncio.run(_publish(platform.settings, advance))
        ended = time.monotonic()
        eventually(lambda: _stored(platform) >= before + BURST, seconds=_DEADLINE_SECONDS)
        seconds = time.monotonic() - ended
    return Pressure(f"a burst of {BURST:,} events", BURST, seconds, memory)


def stall(platform: RunningPlatform, seed: int) -> Pressure:
    """PostgreSQL hangs while events of all types come in."""
    settings = platform.settings
    with _watched(platform) as memory:
        load = Load(seed, rate=300, prefix="stall", fresh_share=0.5)
        with streaming([settings.dapr_http_port], settings, load) as ledger:
            platform.pause("postgres")
            time.sleep(STALL_SECONDS)
            platform.resume("postgres")
        ended = time.monotonic()
        eventually(lambda: not differences(settings, ledger.newest), seconds=_DEADLINE_SECONDS)
        seconds = time.monotonic() - ended
    return Pressure(f"PostgreSQL hangs for {STALL_SECONDS} s", ledger.good, seconds, memory)


def _stored(platform: RunningPlatform) -> float:
    return of_app(platform, "dapr_hero_events_total", path="/widgets.v1", verdict="stored")


@contextmanager
def _watched(platform: RunningPlatform) -> Iterator[list[Memory]]:
    """The memory of all processes while the block runs; complete after it."""
    processes = {part: platform.process(part) for part in PARTS}
    found = [Memory(part, _mib(each.memory_info().rss), 0, 0) for part, each in processes.items()]
    ended = threading.Event()

    def sample() -> None:
        while not ended.wait(_SAMPLE_SECONDS):
            for memory in found:
                memory.after = _mib(processes[memory.part].memory_info().rss)
                memory.peak = max(memory.peak, memory.after)

    watcher = threading.Thread(target=sample)
    watcher.start()
    try:
        yield found
    finally:
        ended.set()
        watcher.join()


def _mib(size: int) -> float:
    return size / 2**20


async def _publish(settings: Settings, advance: Advance) -> None:
    topic = f"{settings.pubsub_name}/{settings.pubsub_topic}"
    url = f"http://127.0.0.1:{settings.dapr_http_port}/v1.0-alpha1/publish/bulk/{topic}"
    firsts = iter(range(0, BURST, _BULK))

    async def work(http: aiohttp.ClientSession) -> None:
        for first in firsts:
            async with http.post(url, data=_bulk(first)) as answer:
                answer.raise_for_status()
            advance(_BULK)

    headers = {"content-type": "application/json", **tokens.to_daprd(settings)}
    async with aiohttp.ClientSession(headers=headers) as http:
        await asyncio.gather(*(work(http) for _ in range(_BULKS_AT_ONCE)))


def _bulk(first: int) -> bytes:
    kind = "application/cloudevents+json"
    return encode(
        [
            {"entryId": str(number), "event": event(id=f"burst-{number}"), "contentType": kind}
            for number in range(first, first + _BULK)
        ]
    )
