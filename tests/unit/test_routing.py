from importlib import resources
from string import Template

import pytest
import yaml

from dapr_hero.routing import DEFAULT, Subscription, path_for
from dapr_hero.settings import Settings, port_fields


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
    assert path_for(type) == path


def test_the_declarative_subscription_says_what_the_table_says() -> None:
    file = resources.files("dapr_hero.local").joinpath("config/inventory/subscription.yaml")
    settings = Settings()
    assert port_fields()
    values = {key.upper(): value for key, value in settings.model_dump(mode="json").items()}
    declared = yaml.safe_load(Template(file.read_text()).safe_substitute(values))["spec"]
    said = Subscription.of(settings).as_json()
    assert declared["routes"] == said["routes"]
    assert declared["routes"]["default"] == DEFAULT.path
    assert declared["bulkSubscribe"] == said["bulkSubscribe"]
    assert declared["deadLetterTopic"] == said["deadLetterTopic"]
    assert (declared["pubsubname"], declared["topic"]) == (said["pubsubname"], said["topic"])
