"""Reads that share a round trip."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")

# The pause after a trip of several reads (ADR 15): a share of the trip's time, up to a limit, then some turns of
# the event loop, because about six turns pass between an HTTP response and the next request of the same client.
_SHARE = 0.25
_LONGEST_SECONDS = 0.005
_TURNS = 8


class CoalescingReader(Generic[K, V]):
    """Reads one key at a time for its callers, and many at a time from the store.

    Keys that are requested during a round trip leave together in the next one, after a pause in which callers
    that have just got a result can join with their next read. A single reader never waits. A read never gets a
    result that was requested before it.
    """

    def __init__(self, fetch: Callable[[list[K]], Awaitable[Mapping[K, V]]], most: int = 500) -> None:
        """`fetch` gets up to `most` different keys and returns those it found."""
        self._fetch = fetch
        self._most = most
        self._waiting: dict[K, list[asyncio.Future[V | None]]] = {}
        self._trips: asyncio.Task[None] | None = None

    async def get(self, key: K) -> V | None:
        """Return the value of `key`, or None. Raises: whatever `fetch` raises."""
        answer: asyncio.Future[V | None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, []).append(answer)
        if self._trips is None:
            self._trips = asyncio.create_task(self._make_trips())
        return await answer

    async def _make_trips(self) -> None:
        try:
            while self._waiting:
                keys = list(self._waiting)[: self._most]
                began = time.monotonic()
                await self._make_trip({key: self._waiting.pop(key) for key in keys})
                if self._waiting or len(keys) > 1:
                    await _pause(time.monotonic() - began)
        finally:
            self._trips = None

    async def _make_trip(self, waiting: dict[K, list[asyncio.Future[V | None]]]) -> None:
        try:
            found = await self._fetch(list(waiting))
        except Exception as error:
            answers = [answer for each in waiting.values() for answer in each if not answer.done()]
            for answer in answers:
                answer.set_exception(error)
            return
        for key, each in waiting.items():
            for answer in each:
                if not answer.done():
                    answer.set_result(found.get(key))


async def _pause(trip_seconds: float) -> None:
    await asyncio.sleep(min(trip_seconds * _SHARE, _LONGEST_SECONDS))
    for _ in range(_TURNS):
        await asyncio.sleep(0)
