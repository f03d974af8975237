from typing import cast

import msgspec
import pytest

from dapr_hero.contract import events
from dapr_hero.contract.errors import Unavailable
from dapr_hero.contract.items import Malformed
from dapr_hero.inventory.side_topics import SideTopics
from dapr_hero.settings import Settings
from dapr_hero.sidecar.interface import Sidecar
from tests.events import event


class Broker:
    """Stands for daprd: refuses a given number of calls."""

    def __init__(self) -> None:
        self.refusals = 0
        self.published: list[tuple[str, str, bytes]] = []

    async def publish(self, pubsub: str, topic: str, event: bytes) -> None:
        if self.refusals:
            self.refusals -= 1
            raise Unavailable("pubsub")
        self.published.append((pubsub, topic, event))


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture
def side_topics(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> SideTopics:
    monkeypatch.setattr("dapr_hero.inventory.side_topics._PAUSE_SECONDS", 0.001)
    return SideTopics(cast(Sidecar, broker), Settings())


def one() -> events.CloudEvent:
    return events.decode(msgspec.json.encode(event(id="a")))


async def test_each_kind_goes_where_its_subscription_reads(side_topics: SideTopics, broker: Broker) -> None:
    await side_topics.park("gadgets", [one(), one()], "down")
    await side_topics.publish_dead_letter(one(), "bad")
    await side_topics.resume(b"{}")
    assert [(pubsub, topic) for pubsub, topic, _ in broker.published] == [
        ("pubsub-parked-gadgets", "inventory-parked-gadgets"),
        ("pubsub", "inventory-dead-letters"),
        ("pubsub", "inventory"),
    ]
    assert len(events.unpack(events.decode(broker.published[0][2]))) == 2
    assert msgspec.json.decode(broker.published[1][2])["deadletterreason"] == "bad"


async def test_a_large_batch_comes_back_in_small_packs(side_topics: SideTopics, broker: Broker) -> None:
    await side_topics.park("gadgets", [one()] * 250, "down")
    sizes = [len(events.unpack(events.decode(pack))) for _, _, pack in broker.published]
    assert sorted(sizes) == [50, 100, 100]


async def test_a_broker_that_has_just_gone_is_waited_for(side_topics: SideTopics, broker: Broker) -> None:
    broker.refusals = 3
    await side_topics.publish_dead_letter(one(), "bad")
    assert (broker.refusals, len(broker.published)) == (0, 1)


async def test_a_broker_that_stays_away_is_said(
    side_topics: SideTopics, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dapr_hero.inventory.side_topics._TIMEOUT_SECONDS", 0.01)
    broker.refusals = 10_000
    with pytest.raises(Unavailable):
        await side_topics.park("gadgets", [one()], "down")
    assert broker.published == []


async def test_an_incomplete_event_is_not_published_as_a_dead_letter(
    side_topics: SideTopics, broker: Broker
) -> None:
    with pytest.raises(Malformed):
        await side_topics.publish_dead_letter(events.CloudEvent(), "bad")
    assert broker.published == []


async def test_an_event_that_is_not_json_is_wrapped_in_a_dead_letter(
    side_topics: SideTopics, broker: Broker
) -> None:
    await side_topics.publish_dead_letter(events.decode(b"no event"), "bad")
    [(_, topic, letter)] = broker.published
    assert topic == "inventory-dead-letters"
    assert events.unwrapped(letter) == b"no event"
