from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from dapr_hero import events
from dapr_hero.errors import Unavailable
from dapr_hero.events import CloudEvent, Verdict
from dapr_hero.inventory.handlers import Handlers
from dapr_hero.items import Version
from tests.events import event


class Store:
    def __init__(self) -> None:
        self.batches: list[list[Version]] = []
        self.error: Exception | None = None

    async def save(self, versions: list[Version]) -> None:
        self.batches.append(versions)
        if self.error:
            raise self.error


@pytest.fixture
def stores() -> dict[str, Store]:
    return {"widgets": Store(), "gadgets": Store(), "products": Store()}


class Letters:
    """Stands for the dead-letter topic."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.down = False

    async def bury(self, event: bytes) -> None:
        if self.down:
            raise Unavailable("pubsub")
        self.events.append(msgspec.json.decode(event))


@pytest.fixture
def letters() -> Letters:
    return Letters()


@pytest.fixture
def handlers(stores: dict[str, Store], letters: Letters) -> Handlers:
    return Handlers({name: store.save for name, store in stores.items()}, letters.bury)


def batch(*wholes: dict[str, object]) -> Sequence[CloudEvent]:
    return [events.decode(msgspec.json.encode(whole)) for whole in wholes]


@pytest.mark.parametrize(
    ("path", "resource"),
    [("/widgets.v1", "widgets"), ("/gadgets.v1", "gadgets"), ("/products.v1", "products")],
)
async def test_a_batch_lands_in_its_store_in_one_round_trip(
    path: str, resource: str, handlers: Handlers, stores: dict[str, Store]
) -> None:
    outcomes = await handlers.deliver(path, batch(*(event(id=str(number)) for number in range(20))))
    assert [outcome.verdict for outcome in outcomes] == [Verdict.STORED] * 20
    assert [len(each) for each in stores[resource].batches] == [20]
    assert not any(store.batches for name, store in stores.items() if name != resource)


async def test_a_malformed_event_holds_nobody_back(handlers: Handlers, stores: dict[str, Store]) -> None:
    outcomes = await handlers.deliver("/widgets.v1", batch(event(id="a"), event(price="x"), event(id="b")))
    assert [outcome.verdict for outcome in outcomes] == [Verdict.STORED, Verdict.REJECT, Verdict.STORED]
    assert "price" in outcomes[1].reason
    assert [version.item.id for version in stores["widgets"].batches[0]] == ["a", "b"]


async def test_malformed_events_alone_ask_nothing_of_the_store(
    handlers: Handlers, stores: dict[str, Store]
) -> None:
    outcomes = await handlers.deliver("/widgets.v1", batch(event(price=-1), {}))
    assert {outcome.verdict for outcome in outcomes} == {Verdict.REJECT}
    assert stores["widgets"].batches == []


async def test_events_of_one_item_are_stored_as_the_newest(
    handlers: Handlers, stores: dict[str, Store]
) -> None:
    newer = event(price=2, time="2026-01-02T00:00:00Z")
    outcomes = await handlers.deliver("/widgets.v1", batch(newer, event(price=1)))
    assert {outcome.verdict for outcome in outcomes} == {Verdict.STORED}
    [[stored]] = stores["widgets"].batches
    assert stored.item.price == 2


@pytest.mark.parametrize("error", [Unavailable("postgresql"), RuntimeError("a fault"), KeyError("x")])
async def test_a_store_that_fails_is_never_success(
    handlers: Handlers, stores: dict[str, Store], error: Exception
) -> None:
    stores["widgets"].error = error
    outcomes = await handlers.deliver("/widgets.v1", batch(event(), event(price=-1)))
    assert [outcome.verdict for outcome in outcomes] == [Verdict.RETRY, Verdict.REJECT]
    assert "fault" not in outcomes[0].reason


async def test_an_empty_batch_is_nothing(handlers: Handlers, stores: dict[str, Store]) -> None:
    assert await handlers.deliver("/widgets.v1", []) == []


async def test_a_rejected_event_is_a_whole_dead_letter_with_its_reason(
    handlers: Handlers, letters: Letters
) -> None:
    bad = event(price=-1, traceparent="00-x", more="kept")
    await handlers.deliver("/widgets.v1", batch(event(), bad))
    [letter] = letters.events
    assert "price" in letter.pop("deadletterreason")
    assert letter == bad


async def test_what_cannot_be_buried_is_left_to_dapr(handlers: Handlers, letters: Letters) -> None:
    letters.down = True
    outcomes = await handlers.deliver("/widgets.v1", batch(event(), event(price=-1)))
    assert [outcome.verdict for outcome in outcomes] == [Verdict.STORED, Verdict.RETRY]
    letters.down = False
    [outcome] = await handlers.deliver("/widgets.v1", [CloudEvent()])
    assert (outcome.verdict, letters.events) == (Verdict.RETRY, [])
