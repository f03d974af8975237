"""The component for single delivery says what the local runner does without DAPR_HERO_BULK_SUBSCRIBE."""

from pathlib import Path
from typing import Any

import yaml

from dapr_hero.local import resources
from dapr_hero.settings import Settings
from tests.unit.cluster.files import K8S, one

COMPONENT = K8S / "components/single-delivery/kustomization.yaml"
FOLDER = "base/inventory/dapr"


def patched(kind: str, name: str) -> dict[str, Any]:
    """The resource of the base with the operations of the component; of RFC 6902, only those that it uses."""
    whole = one(FOLDER, kind, name)
    [patch] = [
        each["patch"]
        for each in yaml.safe_load(COMPONENT.read_text())["patches"]
        if each["target"] == {"kind": kind, "name": name}
    ]
    for each in yaml.safe_load(patch):
        *path, last = each["path"].removeprefix("/").split("/")
        parent: Any = whole
        for step in path:
            parent = parent[int(step) if isinstance(parent, list) else step]
        match each["op"]:
            case "test":
                assert parent[last] == each["value"]
            case "replace":
                parent[last] = each["value"]
            case "remove":
                del parent[last]
    return whole


def local(file: str) -> dict[str, Any]:
    settings = Settings(bulk_subscribe=False)
    placeholders = resources.values(settings, Path("secrets.json"), mtls=True)
    first: dict[str, Any] = next(yaml.safe_load_all(resources.rendered("inventory", placeholders)[file]))
    return first


def test_events_are_subscribed_one_by_one() -> None:
    wanted = local("subscription.yaml")["spec"]
    assert "bulkSubscribe" not in wanted
    assert patched("Subscription", "inventory")["spec"] == wanted


def test_the_component_has_as_many_events_in_hand() -> None:
    def numbers(component: dict[str, Any]) -> dict[str, str]:
        return {each["name"]: each.get("value") for each in component["spec"]["metadata"][3:5]}

    wanted = numbers(local("pubsub.yaml"))
    assert wanted == {"concurrency": "32", "queueDepth": "100"}
    assert numbers(patched("Component", "pubsub")) == wanted
