from typing import Any

import pytest

from dapr_hero.contract.errors import Unavailable
from dapr_hero.contract.events import decode
from dapr_hero.contract.items import encode
from dapr_hero.inventory import subscription_rules
from dapr_hero.inventory.subscription_rules import Rule, SubscriptionRules, unknown_path
from dapr_hero.local.chosen_ports import on_free_ports
from dapr_hero.settings import Settings
from tests.conformance.fake_sidecar import FakeSidecar
from tests.events import event

WIDGETS = Rule("/widgets.v1", 'event.type == "widget.v1"')
LATERS = Rule("/laters.v1", "event.type=='later.v1' ")
PRODUCTS = Rule("/products.v1")
KNOWN = ["/widgets.v1", "/products.v1"]


@pytest.fixture
def settings() -> Settings:
    return on_free_ports(dapr_api_token="secret")


@pytest.mark.parametrize(
    ("rules", "type", "path"),
    [
        ([], "later.v1", None),
        ([WIDGETS, PRODUCTS], "later.v1", None),
        ([WIDGETS, LATERS, PRODUCTS], "later.v1", "/laters.v1"),
        ([WIDGETS, LATERS, PRODUCTS], "widget.v1", None),
        ([WIDGETS, LATERS, PRODUCTS], None, None),
        ([LATERS, Rule("/widgets.v2", WIDGETS.match), PRODUCTS], "widget.v1", "/widgets.v2"),
        ([WIDGETS, Rule("/others.v1")], "anything", "/others.v1"),
        # Any other expression cannot be evaluated here, so that its events are kept.
        ([WIDGETS, Rule("/heavy.v1", "event.data.weight > 5"), PRODUCTS], "anything", "/heavy.v1"),
        ([WIDGETS, Rule("/heavy.v1", "event.data.weight > 5"), PRODUCTS], "widget.v1", None),
        ([Rule("/widgets.v1", "event.data.weight > 5"), PRODUCTS], "anything", None),
    ],
)
def test_a_type_is_delivered_on_the_path_of_its_first_rule(
    rules: list[Rule], type: str | None, path: str | None
) -> None:
    assert unknown_path(rules, type, KNOWN) == path


def in_force(
    topic: str, *rules: Rule, dead_letter_topic: str = "inventory-dead-letters"
) -> dict[str, object]:
    listed = [{"path": rule.path, **({"match": rule.match} if rule.match else {})} for rule in rules]
    whole = {
        "pubsubname": "pubsub",
        "topic": topic,
        "deadLetterTopic": dead_letter_topic,
        "type": "DECLARATIVE",
    }
    return {**whole, "rules": listed}


async def asked(rules: SubscriptionRules, type: str, **attributes: Any) -> str | None:
    return await rules.unknown_path(decode(encode(event(type, **attributes))))


async def test_the_rules_are_those_of_the_topic_that_the_event_came_from(
    settings: Settings, fake: FakeSidecar
) -> None:
    fake.subscriptions = [
        in_force("inventory", WIDGETS, LATERS, PRODUCTS),
        in_force("ahead", Rule("/ahead.v1")),
        in_force("foreign", Rule("/foreign.v1"), dead_letter_topic=""),
    ]
    rules = SubscriptionRules(settings)
    assert await asked(rules, "later.v1") == "/laters.v1"
    assert await asked(rules, "later.v1", topic="inventory") == "/laters.v1"
    assert await asked(rules, "widget.v1", topic="ahead") == "/ahead.v1"
    odd: list[Any] = ["foreign", "", 5, {}]
    for topic in odd:
        assert await asked(rules, "widget.v1", topic=topic) is None
    assert fake.tokens == {"secret"}
    assert fake.round_trips == 1, "the rules are read once"


async def test_the_route_that_an_sdk_registers_is_known(settings: Settings, fake: FakeSidecar) -> None:
    fake.subscriptions = [in_force("inventory", Rule("/inventory"))]
    assert await asked(SubscriptionRules(settings), "widget.v1") is None


async def test_old_rules_are_read_again(
    settings: Settings, fake: FakeSidecar, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscription_rules, "_FRESH_SECONDS", -1.0)
    rules = SubscriptionRules(settings)
    assert await asked(rules, "later.v1") is None
    fake.subscriptions = [in_force("inventory", LATERS)]
    assert await asked(rules, "later.v1") == "/laters.v1"


async def test_a_sidecar_that_does_not_answer_is_unavailable(settings: Settings, fake: FakeSidecar) -> None:
    rules = SubscriptionRules(settings)
    fake.failing = True
    with pytest.raises(Unavailable, match="daprd"):
        await asked(rules, "widget.v1")
    await fake.stop()
    with pytest.raises(Unavailable, match="daprd"):
        await asked(rules, "widget.v1")
