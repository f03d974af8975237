from collections.abc import Sequence
from contextlib import AbstractContextManager

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from dapr_hero.contract import events, items
from dapr_hero.contract.errors import Refused, Unavailable
from dapr_hero.contract.events import CloudEvent, Verdict
from dapr_hero.contract.items import Malformed, Version
from dapr_hero.contract.kinds import KINDS
from dapr_hero.contract.routing import DEAD_LETTERS_PATH
from dapr_hero.inventory.dead_letters import DeadLetters
from dapr_hero.inventory.handlers import Handlers
from dapr_hero.inventory.side_topics import SideTopics
from dapr_hero.service import tracing
from tests.events import event

FRESH = [(kind.path, kind.resource) for kind in KINDS]
PARKED = [(kind.parked_path, kind.resource) for kind in KINDS]


class Store:
    def __init__(self) -> None:
        self.batches: list[list[Version]] = []
        self.error: Exception | None = None
        self.poison: set[str] = set()
        self.refused: set[str] = set()
        self.patience: set[float] = set()

    async def save(self, versions: list[Version], patience_seconds: float) -> None:
        self.patience.add(patience_seconds)
        if self.error:
            raise self.error
        if self.poison & {version.item.id for version in versions}:
            raise ValueError("cannot be stored")
        if self.refused & {version.item.id for version in versions}:
            raise Refused("it", "too large")
        self.batches.append(versions)

    @property
    def ids(self) -> list[str]:
        return sorted(version.item.id for batch in self.batches for version in batch)


class Topics(SideTopics):
    """Stands for the broker: what was parked and dead-lettered."""

    def __init__(self) -> None:
        self.parked: list[tuple[str, list[CloudEvent], str]] = []
        self.dead_letters: list[tuple[CloudEvent, str]] = []
        self.down = False

    async def park(self, resource: str, batch: Sequence[CloudEvent], reason: str) -> None:
        if self.down:
            raise Unavailable("pubsub")
        self.parked.append((resource, list(batch), reason))

    async def publish_dead_letter(self, event: CloudEvent, reason: str) -> None:
        if self.down:
            raise Unavailable("pubsub")
        if event.original() == b"":
            raise Malformed("not handed over")
        self.dead_letters.append((event, reason))


class Kept(DeadLetters):
    """Stands for the table of the dead letters."""

    def __init__(self) -> None:
        self.letters: list[tuple[CloudEvent, str]] = []
        self.down = False

    async def keep(self, event: CloudEvent, reason: str) -> None:
        if self.down:
            raise Unavailable("postgresql")
        self.letters.append((event, reason))


class World:
    def __init__(self) -> None:
        self.stores = {kind.resource: Store() for kind in KINDS}
        self.topics = Topics()
        self.kept = Kept()
        saves = {name: store.save for name, store in self.stores.items()}
        self.unknown_paths: dict[object, str] = {}
        self.daprd_is_down = False
        self.handlers = Handlers(saves, self.topics, self.kept, self.unknown_path)

    async def unknown_path(self, letter: CloudEvent) -> str | None:
        if self.daprd_is_down:
            raise Unavailable("daprd")
        return self.unknown_paths.get(letter.type)

    async def deliver(self, path: str, batch: Sequence[CloudEvent]) -> list[Verdict]:
        return [outcome.verdict for outcome in await self.handlers.deliver(path, batch)]


@pytest.fixture
def world() -> World:
    return World()


def batch(*wholes: dict[str, object]) -> list[CloudEvent]:
    return [events.decode(msgspec.json.encode(whole)) for whole in wholes]


def pack(*wholes: dict[str, object]) -> list[CloudEvent]:
    return [events.decode(events.pack(batch(*wholes), "tests", "down"))]


@pytest.mark.parametrize(("path", "resource"), FRESH)
async def test_a_batch_lands_in_its_store_in_one_round_trip(world: World, path: str, resource: str) -> None:
    verdicts = await world.deliver(path, batch(*(event(id=str(number)) for number in range(20))))
    assert verdicts == [Verdict.STORED] * 20
    assert [len(each) for each in world.stores[resource].batches] == [20]
    assert not any(store.batches for name, store in world.stores.items() if name != resource)


async def test_a_malformed_event_holds_nobody_back_and_is_dead_lettered_with_its_reason(world: World) -> None:
    bad = event(price="x")
    verdicts = await world.deliver("/widgets.v1", batch(event(id="a"), bad, event(id="b")))
    assert verdicts == [Verdict.STORED, Verdict.REJECT, Verdict.STORED]
    assert world.stores["widgets"].ids == ["a", "b"]
    [(letter, reason)] = world.topics.dead_letters
    assert (letter.id, reason) == (bad["id"], "price is not a number")


async def test_malformed_events_alone_ask_nothing_of_the_store(world: World) -> None:
    assert set(await world.deliver("/widgets.v1", batch(event(price=-1), {}))) == {Verdict.REJECT}
    assert world.stores["widgets"].batches == []


async def test_events_of_one_item_are_stored_as_the_newest(world: World) -> None:
    newer = event(price=2, time="2026-01-02T00:00:00Z")
    assert set(await world.deliver("/widgets.v1", batch(newer, event(price=1)))) == {Verdict.STORED}
    [[stored]] = world.stores["widgets"].batches
    assert stored.item.price == 2


@pytest.mark.parametrize(("path", "resource"), FRESH)
async def test_events_during_an_outage_are_parked_in_one_pack(world: World, path: str, resource: str) -> None:
    world.stores[resource].error = Unavailable("it")
    verdicts = await world.deliver(path, batch(event(id="a"), event(price=-1), event(id="b")))
    assert verdicts == [Verdict.PARKED, Verdict.REJECT, Verdict.PARKED]
    [(parked_for, parked, reason)] = world.topics.parked
    assert (parked_for, len(parked), reason) == (resource, 2, "it is unavailable; try again")


async def test_only_rejected_events_are_logged(world: World) -> None:
    """An outage is logged once, by the circuit breaker, whatever the number of events."""
    world.stores["widgets"].error = Unavailable("it")
    bad = event(price="x")
    with capture_logs() as lines:
        await world.deliver("/widgets.v1", batch(*[event() for _ in range(50)], bad))
        await world.deliver("/parked/widgets", pack(event(), event()))
    [line] = lines
    assert (line["event"], line["event_id"], line["log_level"]) == ("event rejected", bad["id"], "warning")


async def test_parked_events_are_counted_one_by_one(world: World) -> None:
    def count(verdict: str) -> float:
        labels = {"path": "/parked/widgets", "verdict": verdict}
        return REGISTRY.get_sample_value("dapr_hero_events_total", labels) or 0.0

    stored, rejected = count("stored"), count("reject")
    world.stores["widgets"].refused = {"bad"}
    with capture_logs() as lines:
        verdicts = await world.deliver("/parked/widgets", pack(event(id="a"), event(id="b"), event(id="bad")))
    assert verdicts == [Verdict.STORED]
    assert (count("stored") - stored, count("reject") - rejected) == (2, 1)
    assert [line["reason"] for line in lines] == ["it refused the item: too large"]


async def test_parked_events_continue_their_traces(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    continued: list[object] = []
    events_of = tracing.events

    def noted(path: str, traceparents: Sequence[object]) -> AbstractContextManager[object]:
        continued.extend(traceparents)
        return events_of(path, traceparents)

    monkeypatch.setattr(tracing, "events", noted)
    traces = [f"00-{number:032x}-{1:016x}-01" for number in (1, 2)]
    await world.deliver("/parked/widgets", pack(*(event(id=each, traceparent=each) for each in traces)))
    assert continued == traces


async def test_a_store_that_fails_for_every_item_parks_them(world: World) -> None:
    world.stores["widgets"].poison = {str(number) for number in range(20)}
    with capture_logs():
        fresh = await world.deliver("/widgets.v1", batch(*(event(id=str(n)) for n in range(20))))
        parked = await world.deliver("/parked/widgets", pack(*(event(id=str(n)) for n in range(20))))
    assert set(fresh) == {Verdict.PARKED}
    assert parked == [Verdict.RETRY]
    assert world.topics.dead_letters == []


async def test_an_item_that_its_store_refuses_is_a_dead_letter_with_the_reason(world: World) -> None:
    world.stores["widgets"].refused = {"bad"}
    verdicts = await world.deliver("/widgets.v1", batch(event(id="a"), event(id="bad")))
    assert verdicts == [Verdict.STORED, Verdict.REJECT]
    assert [reason for _, reason in world.topics.dead_letters] == ["it refused the item: too large"]
    assert await world.deliver(DEAD_LETTERS_PATH, batch(event(id="bad"))) == [Verdict.REJECT]
    assert [reason for _, reason in world.kept.letters] == ["it refused the item: too large"]


async def test_events_that_cannot_be_parked_or_dead_lettered_are_retried_by_dapr(world: World) -> None:
    world.topics.down = True
    world.stores["widgets"].error = Unavailable("it")
    assert set(await world.deliver("/widgets.v1", batch(event(), event(price=-1)))) == {Verdict.RETRY}
    world.topics.down = False
    assert await world.deliver("/widgets.v1", [CloudEvent()]) == [Verdict.RETRY]


@given(poison=st.sets(st.integers(0, 19), max_size=15))
@settings(deadline=None, max_examples=20)
async def test_an_item_that_breaks_its_batch_is_retried_alone(poison: set[int]) -> None:
    world = World()
    world.stores["widgets"].poison = {str(number) for number in poison}
    with capture_logs():  # To write each trace would take longer than all the rest.
        verdicts = await world.deliver("/widgets.v1", batch(*(event(id=str(n)) for n in range(20))))
    assert {n for n, verdict in enumerate(verdicts) if verdict is Verdict.RETRY} == poison
    assert {n for n, verdict in enumerate(verdicts) if verdict is Verdict.STORED} == set(range(20)) - poison
    assert set(world.stores["widgets"].ids) == {str(number) for number in set(range(20)) - poison}


@pytest.mark.parametrize(("path", "resource"), PARKED)
async def test_a_pack_lands_in_the_store_that_it_waited_for(world: World, path: str, resource: str) -> None:
    assert await world.deliver(path, pack(event(id="a"), event(id="b"))) == [Verdict.STORED]
    assert world.stores[resource].ids == ["a", "b"]


async def test_a_pack_waits_on_and_an_event_that_breaks_it_is_becomes_a_dead_letter(world: World) -> None:
    world.stores["gadgets"].error = Unavailable("it")
    assert await world.deliver("/parked/gadgets", pack(event())) == [Verdict.RETRY]
    assert world.topics.parked == []
    world.stores["gadgets"].error = None
    world.stores["gadgets"].poison = {"bad"}
    assert await world.deliver("/parked/gadgets", pack(event(id="bad"), event(id="a"))) == [Verdict.STORED]
    assert world.stores["gadgets"].ids == ["a"]
    assert [reason for _, reason in world.topics.dead_letters] == ["internal error"]


async def test_only_who_has_others_behind_does_not_wait_long(world: World) -> None:
    widgets = world.stores["widgets"]
    await world.deliver("/parked/widgets", pack(event()))
    await world.deliver(DEAD_LETTERS_PATH, batch(event()))
    assert widgets.patience == {60.0}
    await world.deliver("/widgets.v1", batch(event()))
    assert widgets.patience == {60.0, 1.0}


async def test_a_parked_message_that_is_no_pack_becomes_a_dead_letter(world: World) -> None:
    assert await world.deliver("/parked/gadgets", batch(event())) == [Verdict.REJECT]
    assert len(world.topics.dead_letters) == 1


@pytest.mark.parametrize(
    ("type", "resource"), [("widget.v1", "widgets"), ("gadget.v1", "gadgets"), ("x", "products")]
)
async def test_a_good_dead_letter_is_stored_or_parked(world: World, type: str, resource: str) -> None:
    """Its retries ran out while the service was away."""
    assert await world.deliver(DEAD_LETTERS_PATH, batch(event(type))) == [Verdict.STORED]
    assert world.stores[resource].ids == ["w1"]
    world.stores[resource].error = Unavailable("it")
    assert await world.deliver(DEAD_LETTERS_PATH, batch(event(type))) == [Verdict.PARKED]
    assert world.kept.letters == []


async def test_other_dead_letters_are_kept_with_their_reason(world: World) -> None:
    world.stores["widgets"].poison = {"poison"}
    letters = [*batch(event(price=-1), event(id="poison")), events.decode(b"no event")]
    assert await world.deliver(DEAD_LETTERS_PATH, letters) == [Verdict.REJECT] * 3
    reasons = [reason for _, reason in world.kept.letters]
    assert reasons[:2] == ["price must be a finite number >= 0", "internal error"]
    assert reasons[2].startswith("not a CloudEvent")
    assert world.topics.dead_letters == []


async def test_a_good_dead_letter_is_kept_as_long_as_its_path_has_no_handler(world: World) -> None:
    world.unknown_paths = {"gizmo.v1": "/gizmos.v1"}
    assert await world.deliver(DEAD_LETTERS_PATH, batch(event("gizmo.v1"))) == [Verdict.REJECT]
    [(_, reason)] = world.kept.letters
    assert reason == "no handler for the path /gizmos.v1 of its subscription"
    world.daprd_is_down = True
    assert await world.deliver(DEAD_LETTERS_PATH, batch(event("gizmo.v1"))) == [Verdict.RETRY]
    assert await world.deliver(DEAD_LETTERS_PATH, batch(event(price=-1))) == [Verdict.REJECT]
    assert not any(store.batches for store in world.stores.values())


async def test_a_dead_letter_that_cannot_be_kept_comes_again(world: World) -> None:
    world.kept.down = True
    assert await world.deliver(DEAD_LETTERS_PATH, batch(event(price=-1))) == [Verdict.RETRY]


async def test_an_empty_batch_is_nothing(world: World) -> None:
    assert await world.deliver("/widgets.v1", []) == []


async def test_a_pack_has_all_that_decides_and_a_bound() -> None:
    sent = event(id="é", price=msgspec.Raw(b"1e3"), traceparent="00-" + "a" * 52, more="x" * 10_000)
    [packed] = pack(sent)
    [got] = events.unpack(packed)
    assert events.version(got) == events.version(batch(sent)[0])
    assert (got.traceparent, got.type) == (sent["traceparent"], sent["type"])
    assert len(bytes(packed.data)) < 1000
    longest = event(id="😀" * items.MAX_ID) | {"id": "😀" * 1024, "source": "😀" * 1024, "type": "😀" * 1024}
    longest["data"]["description"] = "\x01" * items.MAX_DESCRIPTION
    whole = events.pack(batch(*[longest] * 100), "tests", "down")
    assert len(whole) < 4 * 1024 * 1024  # what daprd takes


async def test_an_unreadable_message_is_kept_byte_for_byte(world: World) -> None:
    wrapper = events.dead_letter_event(events.decode(b"no event \xff"), "tests", "why")
    assert await world.deliver(DEAD_LETTERS_PATH, [events.decode(wrapper)]) == [Verdict.REJECT]
    [(letter, _)] = world.kept.letters
    assert letter.original() == b"no event \xff"


async def test_an_id_of_any_depth_can_be_logged(world: World) -> None:
    id: list[object] = []
    for _ in range(20_000):
        id = [id]
    assert await world.deliver("/widgets.v1", [CloudEvent(id=id, original=lambda: b"{}")]) == [Verdict.REJECT]
