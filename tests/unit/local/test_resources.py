from pathlib import Path
from typing import Any

import pytest
import yaml

from dapr_hero.contract.kinds import KINDS
from dapr_hero.local import resources
from dapr_hero.local.resources import Registration, values, write
from dapr_hero.products.v1 import products_pb2
from dapr_hero.settings import Settings

SETTINGS = Settings(
    inventory_app_id="stock",
    inventory_namespace="stock-ns",
    products_app_id="goods",
    products_namespace="goods-ns",
    pubsub_name="events",
    state_store_name="states",
    secret_store_name="vault",
    postgres_secret="database",
    valkey_port=16379,
    otel_exporter_otlp_endpoint="http://127.0.0.1:14318",
    products_dapr_internal_port=15004,
)
SECRETS = Path('/data "of mine"/secrets.json')

Resource = dict[str, Any]


def rendered(
    folder: Path, config: str, subscription: Registration = Registration.DECLARATIVE, **choices: bool
) -> dict[str, Resource]:
    """The documents by their files; of several in one the others by their names. A Resiliency is alone."""
    chosen = {"mtls": True, **choices}
    configuration, resources = write(config, folder, values(SETTINGS, SECRETS, **chosen), subscription)
    files = [configuration, *resources.iterdir()]
    documents = {file.name: list(yaml.safe_load_all(file.read_text())) for file in files}
    assert len(documents["resiliency.yaml"]) == 1
    firsts = {file: first for file, (first, *_) in documents.items()}
    others = {each["metadata"]["name"]: each for _, *rest in documents.values() for each in rest}
    return {**firsts, **others}


def metadata(component: Resource) -> dict[str, Any]:
    return {
        item["name"]: item.get("value", item.get("secretKeyRef")) for item in component["spec"]["metadata"]
    }


@pytest.fixture
def inventory(tmp_path: Path) -> dict[str, Resource]:
    return rendered(tmp_path, "inventory")


@pytest.fixture
def products(tmp_path: Path) -> dict[str, Resource]:
    return rendered(tmp_path, "products")


@pytest.mark.parametrize(
    ("config", "app_id", "count"), [("inventory", "stock", 7 + 2 * len(KINDS)), ("products", "goods", 3)]
)
def test_every_resource_is_scoped_to_its_app_and_complete(
    tmp_path: Path, config: str, app_id: str, count: int
) -> None:
    resources = rendered(tmp_path, config)
    del resources["configuration.yaml"]

    assert len(resources) == count
    for resource in resources.values():
        assert resource["scopes"] == [app_id]
        assert "{{" not in str(resource)


def test_the_configuration_is_no_resource(tmp_path: Path) -> None:
    configuration, resources = write(
        "inventory", tmp_path, values(SETTINGS, SECRETS, mtls=True), Registration.DECLARATIVE
    )

    assert configuration.parent == tmp_path
    assert not (resources / configuration.name).exists()


def test_a_caller_finds_products_and_has_no_components(tmp_path: Path) -> None:
    configuration, resources = write(
        "caller", tmp_path, values(SETTINGS, SECRETS, mtls=True), Registration.DECLARATIVE
    )
    spec = yaml.safe_load(configuration.read_text())["spec"]
    assert spec["nameResolution"]["configuration"]["template"] == "127.0.0.1:15004"
    assert list(resources.iterdir()) == []


@pytest.mark.parametrize("config", ["inventory", "products"])
def test_no_password_is_in_a_file(tmp_path: Path, config: str) -> None:
    for resource in rendered(tmp_path, config).values():
        if resource["spec"].get("type", "").endswith(".redis"):
            assert metadata(resource)["redisPassword"] == {"name": "valkey", "key": "password"}
            assert resource["auth"] == {"secretStore": "vault"}


@pytest.mark.parametrize("config", ["inventory", "products"])
def test_any_path_can_hold_the_secrets(tmp_path: Path, config: str) -> None:
    store = metadata(rendered(tmp_path, config)["secretstore.yaml"])

    assert store == {"secretsFile": str(SECRETS), "multiValued": "true"}


@pytest.mark.parametrize(("config", "allowed"), [("inventory", ["database"]), ("products", None)])
def test_an_app_reads_only_its_own_secrets(tmp_path: Path, config: str, allowed: list[str] | None) -> None:
    (scope,) = rendered(tmp_path, config)["configuration.yaml"]["spec"]["secrets"]["scopes"]

    assert scope["storeName"] == "vault"
    assert scope["defaultAccess"] == "deny"
    assert scope.get("allowedSecrets") == allowed


def test_the_broker(inventory: dict[str, Resource]) -> None:
    pubsub = inventory["pubsub.yaml"]

    assert pubsub["metadata"]["name"] == "events"
    assert metadata(pubsub) == {
        "redisHost": "127.0.0.1:16379",
        "redisPassword": {"name": "valkey", "key": "password"},
        "consumerID": "stock",
        "concurrency": "1000",
        "queueDepth": "1000",
        "processingTimeout": "30s",
        "redeliverInterval": "5s",
    }


def test_each_resource_has_its_own_component_for_parked_events(inventory: dict[str, Resource]) -> None:
    names = [f"events-parked-{kind.resource}" for kind in KINDS]
    parking = [inventory["parking.yaml"], *(inventory[name] for name in names[1:])]

    assert [each["metadata"].pop("name") for each in parking] == names
    assert all(each == parking[0] for each in parking)
    assert metadata(parking[0])["concurrency"] == "4", "as many packs meet a store that is back"
    policies = inventory["resiliency.yaml"]["spec"]
    for name in (*names, "events-dead-letters"):
        retry = policies["targets"]["components"][name]["inbound"]["retry"]
        assert policies["policies"]["retries"][retry]["maxRetries"] == -1


def test_the_app_alone_subscribes_where_that_is_chosen(tmp_path: Path) -> None:
    assert "subscription.yaml" not in rendered(tmp_path, "inventory", Registration.PROGRAMMATIC)


def test_the_policies_of_inventory(inventory: dict[str, Resource]) -> None:
    spec = inventory["resiliency.yaml"]["spec"]
    policies, targets = spec["policies"], spec["targets"]

    assert targets["apps"] == {
        "goods.goods-ns": {"timeout": "products", "retry": "products", "circuitBreaker": "products"}
    }
    endless = {"outbound": {"retry": "publish"}, "inbound": {"retry": "redeliver"}}
    waiting = (*(f"parked-{kind.resource}" for kind in KINDS), "dead-letters")
    assert targets["components"] == {
        **{f"events-{name}": endless for name in waiting},
        "states": {"outbound": {"timeout": "state", "retry": "state"}},
        "events": {"outbound": {"retry": "publish"}, "inbound": {"retry": "deliver"}},
    }
    assert policies["timeouts"] == {"products": "10s", "state": "5s"}
    assert policies["circuitBreakers"]["products"] == {
        "trip": "consecutiveFailures >= 5",
        "timeout": "10s",
        "maxRequests": 1,
    }
    retries = policies["retries"]
    assert (
        retries["products"].items()
        >= {"policy": "exponential", "maxInterval": "10s", "maxRetries": 3}.items()
    )
    assert retries["state"] == {"policy": "exponential", "maxInterval": "5s", "maxRetries": 3}
    assert retries["publish"] == {"policy": "constant", "duration": "1s", "maxRetries": 5}


def test_an_event_reaches_the_dead_letters_before_its_time_is_over(inventory: dict[str, Resource]) -> None:
    """After processingTimeout the broker delivers it again instead, without end."""
    retry = inventory["resiliency.yaml"]["spec"]["policies"]["retries"]["deliver"]
    assert retry["policy"] == "exponential"
    longest = seconds(retry["maxInterval"])

    # Dapr's exponential waits: 0.5 s at first, each 1.5 times the last, a half more at worst.
    waits = [min(0.5 * 1.5**n, longest) for n in range(retry["maxRetries"])]

    assert sum(waits) * 1.5 < seconds(metadata(inventory["pubsub.yaml"])["processingTimeout"])


def seconds(duration: str) -> float:
    return float(duration.removesuffix("s"))


def test_products_are_found_on_loopback(inventory: dict[str, Resource]) -> None:
    assert inventory["configuration.yaml"]["spec"]["nameResolution"] == {
        "component": "kubernetes",
        "version": "v1",
        "configuration": {"template": "127.0.0.1:15004"},
    }


def test_only_inventory_may_call_products_and_only_its_methods(products: dict[str, Resource]) -> None:
    access = products["configuration.yaml"]["spec"]["accessControl"]
    service = products_pb2.DESCRIPTOR.services_by_name["Products"]

    (policy,) = access["policies"]
    assert access["defaultAction"] == policy["defaultAction"] == "deny"
    assert access["trustDomain"] == policy["trustDomain"] == "public"
    assert (policy["appId"], policy["namespace"]) == ("stock", "stock-ns")
    assert policy["operations"] == [
        {"name": f"/{service.full_name}/{method.name}", "action": "allow"} for method in service.methods
    ]


def test_without_mtls_nobody_can_be_told_apart(tmp_path: Path) -> None:
    access = rendered(tmp_path, "products", mtls=False)["configuration.yaml"]["spec"]["accessControl"]

    assert access["defaultAction"] == "allow"


@pytest.mark.parametrize("config", ["inventory", "products"])
@pytest.mark.parametrize(
    ("endpoint", "rate", "expected"),
    [
        ("http://127.0.0.1:14318", 1, ("127.0.0.1:14318", False, "1.0")),
        ("https://otlp.example.com/", 0.1, ("otlp.example.com", True, "0.1")),
        ("", 1, ("127.0.0.1", False, "0")),
    ],
)
def test_daprd_reports_its_spans_where_the_services_do(
    config: str, endpoint: str, rate: float, expected: tuple[str, bool, str]
) -> None:
    settings = Settings(otel_exporter_otlp_endpoint=endpoint, sampling_rate=rate)
    text = resources.rendered(config, values(settings, SECRETS, mtls=True))["configuration.yaml"]

    tracing = yaml.safe_load(text)["spec"]["tracing"]

    otel = tracing["otel"]
    assert (otel["endpointAddress"], otel["isSecure"], tracing["samplingRate"]) == expected
    assert otel["protocol"] == "http"
