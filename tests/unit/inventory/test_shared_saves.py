import asyncio
from decimal import Decimal

import pytest

from dapr_hero.contract.errors import Refused, Unavailable
from dapr_hero.contract.items import Item, Version
from dapr_hero.inventory.shared_saves import SharedSaves

DOWN = Unavailable("postgresql", "down")


class Store:
    """Notes what it saves; saves nothing before `answers` is set."""

    def __init__(self) -> None:
        self.answers = asyncio.Event()
        self.batches: list[list[str]] = []
        self.error: Exception | None = None
        self.refused_id = ""
        self.patience: set[float] = set()

    async def save(self, versions: list[Version], patience_seconds: float) -> None:
        self.batches.append([each.item.id for each in versions])
        self.patience.add(patience_seconds)
        await self.answers.wait()
        if self.error:
            raise self.error
        if self.refused_id in self.batches[-1]:
            raise Refused("postgresql", "too large")


def version(id: str, stamp: str = "1") -> Version:
    return Version(Item(id, "", Decimal(1)), stamp)


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def saves(store: Store) -> SharedSaves:
    return SharedSaves(store.save, 1.0)


async def several(saves: SharedSaves, *ids: str) -> list[asyncio.Task[dict[str, Exception]]]:
    """Start a save for each id; return when all of them have begun or wait."""
    tasks = [asyncio.create_task(saves.save([version(id)])) for id in ids]
    await asyncio.sleep(0)
    return tasks


async def test_versions_that_arrive_during_a_save_leave_together(saves: SharedSaves, store: Store) -> None:
    tasks = await several(saves, "a", "b", "c")
    store.answers.set()
    assert await asyncio.gather(*tasks) == [{}, {}, {}]
    assert store.batches == [["a"], ["b", "c"]]
    assert store.patience == {1.0}


async def test_a_batch_holds_as_many_versions_as_a_bulk(
    saves: SharedSaves, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dapr_hero.inventory.shared_saves._MOST_VERSIONS", 2)
    tasks = await several(saves, *"abcdef")
    store.answers.set()
    await asyncio.gather(*tasks)
    assert store.batches == [["a"], ["b", "c"], ["d", "e"], ["f"]]


async def test_the_newest_version_of_an_item_is_saved(saves: SharedSaves, store: Store) -> None:
    store.answers.set()
    await saves.save([version("a", "2"), version("a", "1"), version("b")])
    assert store.batches == [["a", "b"]]


async def test_a_refused_item_fails_for_its_callers_only(saves: SharedSaves, store: Store) -> None:
    store.refused_id = "c"
    tasks = await several(saves, "a", "b", "c")
    store.answers.set()
    first, second, third = await asyncio.gather(*tasks)
    assert "a" not in first
    assert "b" not in second
    assert isinstance(third["c"], Refused)


async def test_an_outage_reaches_every_caller(saves: SharedSaves, store: Store) -> None:
    store.error = DOWN
    tasks = await several(saves, "a", "b")
    store.answers.set()
    assert await asyncio.gather(*tasks) == [{"a": DOWN}, {"b": DOWN}]


async def test_callers_that_wait_are_served_when_the_first_is_cancelled(
    saves: SharedSaves, store: Store
) -> None:
    first, second = await several(saves, "a", "b")
    first.cancel()
    store.answers.set()
    assert await second == {}
    assert store.batches == [["a"], ["b"]]
