from pathlib import Path

import pytest
import yaml

from dapr_hero.contract.routing import subscriptions
from dapr_hero.local import resources
from dapr_hero.settings import Settings


@pytest.mark.parametrize("in_bulk", [True, False])
def test_the_declarative_subscriptions_say_what_the_table_says(in_bulk: bool) -> None:
    settings = Settings(bulk_subscribe=in_bulk)
    placeholders = resources.values(settings, Path("secrets.json"), mtls=True)
    rendered = resources.rendered("inventory", placeholders)["subscription.yaml"]
    declared = list(yaml.safe_load_all(rendered))
    said = [each.as_json() for each in subscriptions(settings.topics, in_bulk=in_bulk)]
    assert len(declared) == len(said)
    for document, wanted in zip(declared, said, strict=True):
        spec = document["spec"]
        assert spec["routes"].get("rules", []) == wanted["routes"]["rules"]
        assert spec["routes"]["default"] == wanted["routes"]["default"]
        assert spec.get("metadata", {}) == wanted["metadata"]
        for name in ("pubsubname", "topic", "bulkSubscribe", "deadLetterTopic"):
            assert spec.get(name) == wanted.get(name)
