"""Reads that share a round trip."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class CoalescingReader(Generic[K, V]):
    """Reads one key at a time for its callers, and many at a time from the store.

    Keys that are asked for while a round trip is under way leave together in the next one. There is no
    timer: a lone read leaves at once. A read never gets an answer that was asked for before it.
    """

    def __init__(self, fetch: Callable[[list[K]], Awaitable[Mapping[K, V]]], most: int = 500) -> None:
        """`fetch` gets up to `most` different keys and returns those it found."""
        self._fetch = fetch
        self._most = most
        self._waiting: dict[K, list[asyncio.Future[V | None]]] = {}
        self._trips: asyncio.Task[None] | None = None

    async def get(self, key: K) -> V | None:
        """The value of `key`, or None. Raises: whatever `fetch` raises."""
        answer: asyncio.Future[V | None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, []).append(answer)
        if self._trips is None:
            self._trips = asyncio.create_task(self._make_trips())
        return await answer

    async def _make_trips(self) -> None:
        try:
            while self._waiting:
                keys = list(self._waiting)[: self._most]
                await self._make_trip({key: self._waiting.pop(key) for key in keys})
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
