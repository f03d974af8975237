from pathlib import Path

import pytest
import yaml

from dapr_hero.contract.routing import route_for, subscriptions
from dapr_hero.local import resources
from dapr_hero.settings import Settings


@pytest.mark.parametrize(
    ("type", "path"),
    [
        ("widget.v1", "/widgets.v1"),
        ("gadget.v1", "/gadgets.v1"),
        ("thingamajig.v1", "/products.v1"),
        ("widget.v2", "/products.v1"),
        ("", "/products.v1"),
        (None, "/products.v1"),
        (5, "/products.v1"),
    ],
)
def test_types_have_their_paths(type: object, path: str) -> None:
    assert route_for(type).path == path


def test_the_declarative_subscriptions_say_what_the_table_says() -> None:
    settings = Settings()
    placeholders = resources.values(settings, Path("secrets.json"), mtls=True, tracing=True)
    rendered = resources.rendered("inventory", placeholders)["subscription.yaml"]
    declared = list(yaml.safe_load_all(rendered))
    said = [each.as_json() for each in subscriptions(settings.topics)]
    assert len(declared) == len(said)
    for document, wanted in zip(declared, said, strict=True):
        spec = document["spec"]
        assert spec["routes"].get("rules", []) == wanted["routes"]["rules"]
        assert spec["routes"]["default"] == wanted["routes"]["default"]
        assert spec.get("metadata", {}) == wanted["metadata"]
        for name in ("pubsubname", "topic", "bulkSubscribe", "deadLetterTopic"):
            assert spec.get(name) == wanted.get(name)
