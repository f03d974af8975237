import asyncio

import pytest

from dapr_hero.errors import Unavailable
from dapr_hero.inventory import gate as module
from dapr_hero.inventory.gate import Gate
from dapr_hero.items import PROBE, Item, Version


class Store:
    """Is down for as long as it is told; counts what it is asked."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.asked: list[list[str]] = []
        self.probed = asyncio.Event()
        self.hangs: asyncio.Event | None = None

    async def get(self, ids: list[str]) -> dict[str, Item]:
        self.asked.append(ids)
        if self.hangs:
            await self.hangs.wait()
        if ids == PROBE:
            self.probed.set()
        if self.error:
            raise self.error
        return {}

    async def save(self, versions: list[Version]) -> None:
        self.asked.append([version.item.id for version in versions])
        if self.hangs:
            await self.hangs.wait()
        if self.error:
            raise self.error


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FIRST_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(module, "_LONGEST_PAUSE_SECONDS", 0.004)


async def until_open(gate: Gate) -> None:
    async with asyncio.timeout(5):
        while True:
            try:
                await gate.get(["a"])
                return
            except Unavailable:
                await asyncio.sleep(0.001)


async def test_a_store_that_is_down_is_asked_by_its_probe_alone() -> None:
    store = Store()
    gate = Gate("widgets", store)
    store.error = Unavailable("postgresql")
    with pytest.raises(Unavailable):
        await gate.save([])
    for _ in range(10):
        with pytest.raises(Unavailable):
            await gate.get(["a"])
    assert store.asked == [[]]
    async with asyncio.timeout(5):
        await store.probed.wait()
    assert ["a"] not in store.asked
    store.error = None
    await until_open(gate)
    await gate.close()


async def test_who_has_a_patience_does_not_wait_for_a_store_that_hangs_nor_for_who_does() -> None:
    store = Store()
    gate = Gate("widgets", store)
    store.hangs = asyncio.Event()
    for _ in range(3):
        with pytest.raises(Unavailable):
            await gate.save([], patience_seconds=0.01)
    with pytest.raises(Unavailable):
        await gate.save([])
    assert store.asked == [[]], "the first save goes on, and is the only one"
    store.hangs.set()
    async with asyncio.timeout(5):
        while gate._left:
            await asyncio.sleep(0.001)
    await gate.save([], patience_seconds=5)
    assert store.asked == [[], []]


async def test_a_save_that_was_left_alone_shuts_the_gate_when_it_fails() -> None:
    store = Store()
    gate = Gate("widgets", store)
    store.hangs, store.error = asyncio.Event(), Unavailable("postgresql")
    with pytest.raises(Unavailable):
        await gate.save([], patience_seconds=0.01)
    store.probed.clear()
    store.hangs.set()
    async with asyncio.timeout(5):
        await store.probed.wait()
    await gate.close()


@pytest.mark.parametrize("error", [Unavailable("postgresql"), ValueError("a fault")])
async def test_who_has_a_patience_hears_what_went_wrong(error: Exception) -> None:
    store = Store()
    gate = Gate("widgets", store)
    store.error = error
    with pytest.raises(type(error)):
        await gate.save([], patience_seconds=5)
    await gate.close()


async def test_it_closes_while_a_save_goes_on() -> None:
    store = Store()
    gate = Gate("widgets", store)
    store.hangs = asyncio.Event()
    with pytest.raises(Unavailable):
        await gate.save([], patience_seconds=0.01)
    async with asyncio.timeout(5):
        await gate.close()
    assert not gate._left


async def test_a_store_that_fails_in_another_way_is_still_asked() -> None:
    store = Store()
    gate = Gate("widgets", store)
    store.error = ValueError("a fault")
    for _ in range(2):
        with pytest.raises(ValueError, match="a fault"):
            await gate.get(["a"])
    assert store.asked == [["a"], ["a"]]


async def test_a_fault_in_the_probe_opens_the_gate() -> None:
    """Else nobody would ever ask again."""
    store = Store()
    gate = Gate("widgets", store)
    store.error = Unavailable("postgresql")
    with pytest.raises(Unavailable):
        await gate.get(["a"])
    store.error = ValueError("a fault")
    with pytest.raises(ValueError, match="a fault"):
        await until_open(gate)
    await gate.close()


async def test_it_closes_while_it_probes() -> None:
    store = Store()
    gate = Gate("widgets", store)
    store.error = Unavailable("postgresql")
    with pytest.raises(Unavailable):
        await gate.get(["a"])
    await gate.close()
    asked = len(store.asked)
    await asyncio.sleep(0.02)
    assert len(store.asked) == asked


def test_its_pauses_grow_to_a_bound_and_differ() -> None:
    pauses = [pause for pause, _ in zip(module._pauses(), range(50), strict=False)]
    assert max(pauses[:1]) <= 0.001
    assert all(0.002 <= pause <= 0.004 for pause in pauses[10:])
    assert len(set(pauses)) == 50
