from typing import cast

import msgspec
import pytest

from dapr_hero import events
from dapr_hero.errors import Unavailable
from dapr_hero.inventory import parking as module
from dapr_hero.inventory.parking import Parking
from dapr_hero.items import Malformed
from dapr_hero.modes import Sidecar
from dapr_hero.settings import Settings
from tests.events import event


class Broker:
    """Stands for daprd: refuses as often as it is told."""

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
def parking(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> Parking:
    monkeypatch.setattr(module, "_PAUSE_SECONDS", 0.001)
    return Parking(cast(Sidecar, broker), Settings())


def one() -> events.CloudEvent:
    return events.decode(msgspec.json.encode(event(id="a")))


async def test_each_kind_goes_where_its_subscription_reads(parking: Parking, broker: Broker) -> None:
    await parking.park("gadgets", [one(), one()], "down")
    await parking.bury(one(), "bad")
    await parking.resume(b"{}")
    assert [(pubsub, topic) for pubsub, topic, _ in broker.published] == [
        ("pubsub-parked-gadgets", "inventory-parked-gadgets"),
        ("pubsub", "inventory-dead-letters"),
        ("pubsub", "inventory"),
    ]
    assert len(events.unpack(events.decode(broker.published[0][2]))) == 2
    assert msgspec.json.decode(broker.published[1][2])["deadletterreason"] == "bad"


async def test_a_large_batch_comes_back_in_small_packs(parking: Parking, broker: Broker) -> None:
    await parking.park("gadgets", [one()] * 250, "down")
    sizes = [len(events.unpack(events.decode(pack))) for _, _, pack in broker.published]
    assert sorted(sizes) == [50, 100, 100]


async def test_a_broker_that_has_just_gone_is_waited_for(parking: Parking, broker: Broker) -> None:
    broker.refusals = 3
    await parking.bury(one(), "bad")
    assert (broker.refusals, len(broker.published)) == (0, 1)


async def test_a_broker_that_stays_away_is_said(
    parking: Parking, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_TIMEOUT_SECONDS", 0.01)
    broker.refusals = 10_000
    with pytest.raises(Unavailable):
        await parking.park("gadgets", [one()], "down")
    assert broker.published == []


async def test_what_is_not_whole_is_not_buried(parking: Parking, broker: Broker) -> None:
    with pytest.raises(Malformed):
        await parking.bury(events.CloudEvent(), "bad")
    assert broker.published == []


async def test_what_is_no_json_is_buried_in_an_event_of_its_own(parking: Parking, broker: Broker) -> None:
    await parking.bury(events.decode(b"no event"), "bad")
    [(_, topic, letter)] = broker.published
    assert topic == "inventory-dead-letters"
    assert events.unwrapped(letter) == b"no event"
