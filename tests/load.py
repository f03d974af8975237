"""Load: events that stream in through daprd until each is acknowledged, and the account of them."""

import asyncio
import random
import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp

from dapr_hero.contract.items import encode
from dapr_hero.contract.kinds import KINDS
from dapr_hero.settings import Settings
from dapr_hero.sidecar import tokens
from tests.events import event

TYPES = {kind.resource: kind.type for kind in KINDS}
_AT_ONCE = 16
_READS_AT_ONCE = 32
_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)

Key = tuple[str, str]
"""A resource and the id of an item."""


@dataclass
class Ledger:
    """The events that daprd has acknowledged, all of which must be accounted for in the end."""

    newest: dict[Key, int] = field(default_factory=dict)
    """The highest version of each item; it is also its price."""
    bad: set[str] = field(default_factory=set)
    """The ids of the malformed events."""
    good: int = 0
    refusals: int = 0
    """Attempts to publish that were not acknowledged, and were repeated."""

    @property
    def published(self) -> int:
        return self.good + len(self.bad)


@dataclass(frozen=True)
class Load:
    """The events to publish: these kinds in turn, each a new version of one of so many items."""

    seed: int
    rate: float
    """Events a second."""
    items: int = 100
    """That are updated over and over, of each kind."""
    fresh_share: float = 0.0
    """Of the events: those whose item is new, and which nothing can stand in for."""
    bad_share: float = 0.0
    kinds: Sequence[str] = tuple(TYPES)
    prefix: str = "load"


@contextmanager
def streaming(ports: Sequence[int], settings: Settings, load: Load) -> Iterator[Ledger]:
    """The load in the background, through the sidecars on these ports in turn, until the block ends.

    After the block all that was begun is acknowledged, unless the block has failed.
    """
    ledger = Ledger()
    publisher = _Publisher(ports, settings, load, ledger)
    thread = threading.Thread(target=lambda: asyncio.run(publisher.run()), name="load")
    thread.start()
    try:
        yield ledger
    except BaseException:
        publisher.give_up()
        raise
    finally:
        publisher.stop()
        thread.join()


class _Publisher:
    def __init__(self, ports: Sequence[int], settings: Settings, load: Load, ledger: Ledger) -> None:
        topic = f"{settings.pubsub_name}/{settings.pubsub_topic}"
        self._urls = [f"http://127.0.0.1:{port}/v1.0/publish/{topic}" for port in ports]
        self._token = tokens.to_daprd(settings)
        self._load = load
        self._ledger = ledger
        self._random = random.Random(load.seed)  # noqa: S311
        self._versions: dict[Key, int] = {}
        self._numbers = iter(range(2**62))
        self._ended = False
        self._given_up = False

    def stop(self) -> None:
        """Begin nothing more."""
        self._ended = True

    def give_up(self) -> None:
        """Wait for no acknowledgement any more."""
        self._given_up = True

    async def run(self) -> None:
        self._began = time.monotonic()
        timeout = aiohttp.ClientTimeout(total=20)
        headers = {"content-type": "application/cloudevents+json", **self._token}
        async with aiohttp.ClientSession(timeout=timeout, headers=headers) as http:
            await asyncio.gather(*(self._work(http) for _ in range(_AT_ONCE)))

    async def _work(self, http: aiohttp.ClientSession) -> None:
        while not self._ended:
            number = next(self._numbers)
            due = self._began + number / self._load.rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            resource = self._load.kinds[number % len(self._load.kinds)]
            if self._random.random() < self._load.bad_share:
                await self._publish_bad(http, resource, number)
            else:
                await self._publish_good(http, resource, number)

    async def _publish_good(self, http: aiohttp.ClientSession, resource: str, number: int) -> None:
        fresh = self._random.random() < self._load.fresh_share
        which = f"new-{number}" if fresh else str(self._random.randrange(self._load.items))
        key = (resource, f"{self._load.prefix}-{which}")
        version = self._versions[key] = self._versions.get(key, 0) + 1
        at = (_EPOCH + timedelta(milliseconds=version)).isoformat()
        await self._publish(http, event(TYPES[resource], key[1], price=version, time=at))
        self._ledger.newest[key] = max(version, self._ledger.newest.get(key, 0))
        self._ledger.good += 1

    async def _publish_bad(self, http: aiohttp.ClientSession, resource: str, number: int) -> None:
        bad = event(TYPES[resource], price=-1) | {"id": f"bad-{number}-{uuid.uuid4()}"}
        await self._publish(http, bad)
        self._ledger.bad.add(bad["id"])

    async def _publish(self, http: aiohttp.ClientSession, whole: dict[str, Any]) -> None:
        """Until it is acknowledged, however long that takes; from sidecar to sidecar, as a balancer would."""
        body = encode(whole)
        while not self._given_up:
            for url in self._urls:
                try:
                    async with http.post(url, data=body) as answer:
                        if answer.status == 204:
                            return
                except (aiohttp.ClientError, TimeoutError):
                    pass
                self._ledger.refusals += 1
            await asyncio.sleep(0.05)


@dataclass(frozen=True)
class Difference:
    """An item that is not what it must be; None: there is none."""

    key: Key
    expected: int
    seen: Any


def differences(settings: Settings, newest: Mapping[Key, int]) -> list[Difference]:
    """Return the items that differ from the ledger now; read over REST."""
    return asyncio.run(_differences(settings, newest))


async def _differences(settings: Settings, newest: Mapping[Key, int]) -> list[Difference]:
    waiting = iter(newest.items())
    found: list[Difference] = []

    async def compare(http: aiohttp.ClientSession) -> None:
        for key, expected in waiting:
            seen = await _price(http, settings, key)
            if seen != expected:
                found.append(Difference(key, expected, seen))

    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as http:
        await asyncio.gather(*(compare(http) for _ in range(_READS_AT_ONCE)))
    return found


async def _price(http: aiohttp.ClientSession, settings: Settings, key: Key) -> Any:
    resource, id = key
    url = f"http://127.0.0.1:{settings.inventory_port}/v1/{resource}/{id}"
    async with http.get(url) as answer:
        if answer.status == 404:
            return None
        return (await answer.json())["price"] if answer.status == 200 else f"status {answer.status}"
