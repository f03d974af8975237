"""Outages: how much of their rate the types keep whose own store is up."""

import time
from functools import partial
from statistics import median
from typing import Any, NamedTuple

import msgspec

from dapr_hero.contract.items import encode
from dapr_hero.testing import RunningPlatform, eventually
from tests.events import event
from tests.load import TYPES
from tests.platform.broker import broker
from tests.platform.metrics import of_app

EVENTS = 15_000
_ROUNDS = 3
_DEADLINE_SECONDS = 300


class Drain(NamedTuple):
    rate: float
    halt_seconds: float


class Outage(msgspec.Struct):
    """Events a second of the types that are not concerned, median of the rounds."""

    down: str
    others: list[str]
    rate_before: float
    rate_during: float
    halt_seconds: float
    """The longest time, in all rounds, in which none of them was stored."""

    @property
    def kept(self) -> float:
        return self.rate_during / self.rate_before


def measure(platform: RunningPlatform, down: str, resource: str) -> Outage:
    """Drain the same events with this part up and down, in turn."""
    others = [each for each in TYPES if each != resource]
    before, during = [], []
    for number in range(_ROUNDS):
        before.append(_drain(platform, others, f"{down}-up-{number}"))
        platform.kill(down)
        during.append(_drain(platform, others, f"{down}-down-{number}"))
        platform.start(down)
        _all_land(platform, resource, f"{down}-down-{number}")
    rate_before = median(drain.rate for drain in before)
    rate_during = median(drain.rate for drain in during)
    return Outage(down, others, rate_before, rate_during, max(drain.halt_seconds for drain in during))


def _drain(platform: RunningPlatform, others: list[str], run: str) -> Drain:
    """Fill the topic with events of all types; how those of the others are stored."""
    each = EVENTS // len(TYPES)
    first = _stored(platform, others)
    with broker(platform.settings) as valkey:
        pipeline: Any = valkey.pipeline(transaction=False)
        for number in range(each):
            for type in TYPES.values():
                pipeline.xadd("inventory", {"data": encode(event(type, f"{run}-{number}"))})
        began = time.monotonic()
        pipeline.execute()
    halt = _wait(platform, others, first, first + each * len(others))
    return Drain(each * len(others) / (time.monotonic() - began), halt)


def _wait(platform: RunningPlatform, others: list[str], seen: float, enough: float) -> float:
    """Until so many events of the others are stored; the longest halt on the way, in seconds."""
    halt, moved = 0.0, time.monotonic()

    def look() -> bool:
        nonlocal halt, moved, seen
        now, stored = time.monotonic(), _stored(platform, others)
        halt = max(halt, now - moved)
        if stored > seen:
            seen, moved = stored, now
        return stored >= enough

    eventually(look, seconds=_DEADLINE_SECONDS)
    return halt


def _all_land(platform: RunningPlatform, resource: str, run: str) -> None:
    last = f"/v1/{resource}/{run}-{EVENTS // len(TYPES) - 1}"
    for path in (f"/v1/{resource}/{run}-0", last):
        eventually(partial(_is_there, platform, path), seconds=_DEADLINE_SECONDS)


def _is_there(platform: RunningPlatform, path: str) -> bool:
    return platform.get(path).status_code == 200


def _stored(platform: RunningPlatform, resources: list[str]) -> float:
    return sum(
        of_app(platform, "dapr_hero_events_total", path=f"/{each}.v1", verdict="stored") for each in resources
    )
