from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from dapr_hero.contract.errors import Refused, Unavailable
from dapr_hero.contract.items import Item, Version
from dapr_hero.inventory.saving import Fault, failures_by_id

COUNT = 100
VERSIONS = [Version(Item(str(number), "", Decimal(1)), "1") for number in range(COUNT)]


class Store:
    def __init__(self, errors: dict[str, Exception]) -> None:
        self.errors = errors
        self.saved: set[str] = set()
        self.statements = 0

    async def save(self, versions: list[Version]) -> None:
        self.statements += 1
        ids = [version.item.id for version in versions]
        for id in ids:
            if id in self.errors:
                raise self.errors[id]
        self.saved.update(ids)


@given(refused=st.sets(st.integers(0, COUNT - 1)))
@settings(deadline=None, max_examples=20)
async def test_refused_items_are_found_and_all_others_are_saved(refused: set[int]) -> None:
    store = Store({str(number): Refused("postgresql", "too large") for number in refused})
    failures = await failures_by_id(VERSIONS, store.save)
    assert failures.keys() == store.errors.keys()
    assert all(isinstance(each, Refused) for each in failures.values())
    assert store.saved == {each.item.id for each in VERSIONS} - failures.keys()


async def test_an_outage_fails_the_whole_batch_after_one_statement() -> None:
    store = Store({"50": Unavailable("postgresql", "read-only")})
    failures = await failures_by_id(VERSIONS, store.save)
    assert len(failures) == COUNT
    assert {type(each) for each in failures.values()} == {Unavailable}
    assert store.statements == 1


async def test_an_outage_during_the_search_keeps_what_is_known() -> None:
    store = Store({"0": Refused("postgresql", "too large"), "99": Unavailable("postgresql")})
    failures = await failures_by_id(VERSIONS, store.save)
    assert isinstance(failures["0"], Refused)
    assert isinstance(failures["99"], Unavailable)
    assert "2" not in failures
    assert store.saved | failures.keys() == {each.item.id for each in VERSIONS}


async def test_an_unexpected_error_of_one_item_is_its_own_and_logged_once() -> None:
    store = Store({"7": ValueError("a bug")})
    with capture_logs() as logged:
        failures = await failures_by_id(VERSIONS, store.save)
    assert failures.keys() == {"7"}
    assert isinstance(failures["7"], Fault)
    assert [each["id"] for each in logged] == ["7"]


@pytest.mark.parametrize("count", [2, 10, COUNT])
async def test_a_store_that_fails_for_every_item_is_unavailable(count: int) -> None:
    """Good events are parked then. They would all be dead letters if each item were at fault."""
    store = Store({each.item.id: ValueError("a bug") for each in VERSIONS})
    with capture_logs() as logged:
        failures = await failures_by_id(VERSIONS[:count], store.save)
    assert {type(each) for each in failures.values()} == {Unavailable}
    assert len(failures) == count
    assert len(logged) == 1
    assert store.statements < 50


async def test_no_versions_are_no_call() -> None:
    store = Store({})
    assert await failures_by_id([], store.save) == {}
    assert store.statements == 0
