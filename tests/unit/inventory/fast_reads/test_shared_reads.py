import asyncio

import pytest

from dapr_hero.inventory.fast_reads.shared_reads import CoalescingReader


class Store:
    """Records its round trips; each waits for the gate."""

    def __init__(self) -> None:
        self.trips: list[list[str]] = []
        self.gate = asyncio.Event()
        self.error: Exception | None = None

    async def fetch(self, keys: list[str]) -> dict[str, str]:
        self.trips.append(keys)
        await self.gate.wait()
        if self.error:
            raise self.error
        return {key: key.upper() for key in keys if key != "missing"}


async def departed(store: Store, trips: int) -> None:
    async with asyncio.timeout(5):
        while len(store.trips) < trips:
            await asyncio.sleep(0)


async def test_a_lone_read_leaves_at_once() -> None:
    store = Store()
    store.gate.set()
    assert await CoalescingReader(store.fetch).get("a") == "A"
    assert store.trips == [["a"]]


async def test_a_lone_reader_who_asks_again_leaves_at_once() -> None:
    store = Store()
    store.gate.set()
    reader = CoalescingReader(store.fetch)
    await reader.get("a")
    again = asyncio.create_task(reader.get("b"))
    for _ in range(3):  # its task, the trip's, and the answer
        await asyncio.sleep(0)
    assert store.trips == [["a"], ["b"]]
    assert await again == "B"


async def test_reads_during_a_trip_leave_together_in_the_next() -> None:
    store = Store()
    reader = CoalescingReader(store.fetch)
    first = asyncio.create_task(reader.get("a"))
    await departed(store, 1)
    others = [asyncio.create_task(reader.get(key)) for key in ("b", "c", "b", "a", "missing")]
    await asyncio.sleep(0)
    store.gate.set()
    assert await first == "A"
    assert await asyncio.gather(*others) == ["B", "C", "B", "A", None]
    # "a" is asked for again: the answer under way may be older than this read.
    assert store.trips == [["a"], ["b", "c", "a", "missing"]]


async def test_a_new_read_joins_the_next_round_trip() -> None:
    store = Store()
    reader = CoalescingReader(store.fetch)

    async def ask_twice() -> None:
        await reader.get("a")
        for _ in range(6):  # the way to a client on this machine and back
            await asyncio.sleep(0)
        await reader.get("b")

    asking = asyncio.create_task(ask_twice())
    await departed(store, 1)
    waiting = asyncio.create_task(reader.get("c"))
    await asyncio.sleep(0)
    store.gate.set()
    await asyncio.gather(asking, waiting)
    assert store.trips == [["a"], ["c", "b"]]


async def test_a_trip_has_a_most() -> None:
    store = Store()
    store.gate.set()
    reader = CoalescingReader(store.fetch, most=2)
    assert await asyncio.gather(*(reader.get(key) for key in "abcde")) == list("ABCDE")
    assert [len(trip) for trip in store.trips] == [2, 2, 1]


async def test_a_failed_trip_fails_its_own_reads_and_no_others() -> None:
    store = Store()
    reader = CoalescingReader(store.fetch)
    store.error = OSError("down")
    failing = asyncio.create_task(reader.get("a"))
    await departed(store, 1)
    store.gate.set()
    with pytest.raises(OSError, match="down"):
        await failing
    store.error = None
    assert await reader.get("a") == "A"


async def test_a_reader_who_leaves_takes_nothing_from_the_others() -> None:
    store = Store()
    reader = CoalescingReader(store.fetch)
    leaving, staying = (asyncio.create_task(reader.get("a")) for _ in range(2))
    await departed(store, 1)
    leaving.cancel()
    store.gate.set()
    assert await staying == "A"
    assert await reader.get("b") == "B"
