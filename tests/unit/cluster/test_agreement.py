"""The settings (.env), the code and the manifests say the same."""

from pathlib import Path

import pytest
import yaml
from dotenv import dotenv_values

import tools.env_file
from dapr_hero import settings
from dapr_hero.cluster import credentials
from dapr_hero.contract.mode import Mode
from dapr_hero.service import health
from dapr_hero.service.drain import STOP_TIMEOUT_SECONDS
from dapr_hero.service.limits import MAX_MESSAGE_BYTES
from dapr_hero.settings import Settings
from tests.unit.cluster import files
from tests.unit.cluster.fake_cluster import FakeCluster, Resource, made
from tests.unit.cluster.files import K8S, ROOT, annotations, container, one, ports

DEFAULTS = Settings.model_construct()
KEYS = set(map(settings.key, Settings.model_fields))
NAMESPACES = {"inventory": DEFAULTS.inventory_namespace, "products": DEFAULTS.products_namespace}
STORES = {"valkey": DEFAULTS.valkey_port, "postgres": DEFAULTS.postgres_port, "collector": DEFAULTS.otlp_port}
INFRASTRUCTURE = credentials.INFRASTRUCTURE
# Where a daprd listens for others in a cluster; the injector's default.
SIDECAR_PORT = 50002

each_service = pytest.mark.parametrize("service", NAMESPACES)


def deployment(service: str) -> Resource:
    return one(f"base/{service}", "Deployment", service)


def test_env_is_what_the_settings_say() -> None:
    assert (ROOT / ".env").read_text() == tools.env_file.text()


@each_service
def test_each_setting_of_a_service_is_one_and_can_be_used(
    service: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = dotenv_values(K8S / "base" / service / "settings.env")
    assert values
    assert set(values) <= KEYS
    monkeypatch.chdir(tmp_path)  # without .env
    for name, value in values.items():
        monkeypatch.setenv(name, value or "")
    loaded = settings.load()
    assert (
        loaded.otel_exporter_otlp_endpoint
        == f"http://collector.{INFRASTRUCTURE}.svc.cluster.local:{DEFAULTS.otlp_port}"
    )
    assert loaded.unready_seconds == 0


@each_service
def test_only_settings_are_in_the_environment(service: str) -> None:
    names = {each["name"] for each in container(deployment(service))["env"]}
    assert names <= KEYS


def test_there_is_a_component_for_each_mode_and_no_other() -> None:
    assert {each.name for each in (K8S / "components" / "modes").iterdir()} == set(Mode)


@pytest.mark.parametrize("mode", Mode)
def test_a_mode_sets_its_name_its_port_and_its_protocol(mode: Mode) -> None:
    [component] = yaml.safe_load_all((K8S / f"components/modes/{mode}/kustomization.yaml").read_text())
    [patch] = component["patches"]
    changed = yaml.safe_load(patch["patch"])
    assert patch["target"] == {"kind": "Deployment", "name": "inventory"}
    assert container(changed)["env"] == [{"name": "DAPR_MODE", "value": mode}]
    assert annotations(changed) == {
        "app-port": str(Settings.model_construct(dapr_mode=mode).callback_port),
        "app-protocol": mode.protocol,
    }


def test_daprd_finds_products_where_it_listens() -> None:
    told = annotations(deployment("products"))
    assert (told["app-port"], told["app-protocol"]) == (str(DEFAULTS.products_port), "grpc")


@pytest.mark.parametrize(
    ("service", "port"), [("inventory", DEFAULTS.inventory_port), ("products", DEFAULTS.products_http_port)]
)
def test_the_kubelet_asks_where_the_service_listens(service: str, port: int) -> None:
    found = container(deployment(service))
    [open_port] = found["ports"]
    assert open_port["containerPort"] == port
    probes = [found[f"{each}Probe"]["httpGet"] for each in ("startup", "liveness", "readiness")]
    assert [each["port"] for each in probes] == [open_port["name"]] * 3
    assert [each["path"] for each in probes] == ["/healthz", "/healthz", "/readyz"]
    assert found["readinessProbe"]["timeoutSeconds"] >= 2 * health.CHECK_SECONDS


def test_the_service_of_the_rest_api_has_its_port() -> None:
    [port] = one("base/inventory", "Service", "inventory")["spec"]["ports"]
    [open_port] = container(deployment("inventory"))["ports"]
    assert (port["port"], port["targetPort"]) == (DEFAULTS.inventory_port, open_port["name"])


@pytest.mark.parametrize("store", STORES)
def test_each_store_is_where_the_components_look_for_it(store: str) -> None:
    kind = "Deployment" if store == "collector" else "StatefulSet"
    [port] = one("infrastructure", "Service", store)["spec"]["ports"]
    [open_port] = container(one("infrastructure", kind, store))["ports"]
    assert (port["port"], port["targetPort"]) == (STORES[store], open_port["name"])
    assert open_port["containerPort"] == STORES[store]
    assert one("overlays/external", "Service", store)["metadata"]["namespace"] == INFRASTRUCTURE


@each_service
def test_a_service_has_its_app_id_its_namespace_and_its_configuration(service: str) -> None:
    told = annotations(deployment(service))
    kustomization = yaml.safe_load((K8S / f"base/{service}/kustomization.yaml").read_text())
    assert told["app-id"] == getattr(DEFAULTS, f"{service}_app_id")
    assert kustomization["namespace"] == NAMESPACES[service]
    assert one(f"base/{service}/dapr", "Configuration", told["config"])
    scoped = [each["scopes"] for each in files.resources(f"base/{service}/dapr") if "scopes" in each]
    assert all(each == [told["app-id"]] for each in scoped)


def test_every_namespace_is_made_and_restricted() -> None:
    found = {
        each["metadata"]["name"]: each for each in files.resources("base") if each["kind"] == "Namespace"
    }
    assert set(found) == {INFRASTRUCTURE, *NAMESPACES.values()}
    labels = [each["metadata"]["labels"] for each in found.values()]
    assert all(each["pod-security.kubernetes.io/enforce"] == "restricted" for each in labels)


def test_the_role_reads_the_one_secret_that_inventory_asks_for() -> None:
    [rule] = one("base/inventory", "Role", "secret-reader")["rules"]
    assert rule["resourceNames"] == [DEFAULTS.postgres_secret]
    assert (rule["resources"], rule["verbs"]) == (["secrets"], ["get"])
    binding = one("base/inventory", "RoleBinding", "secret-reader")
    assert [each["name"] for each in binding["subjects"]] == [
        deployment("inventory")["spec"]["template"]["spec"]["serviceAccountName"]
    ]


@pytest.mark.parametrize(
    ("service", "setting"),
    [
        ("inventory", "pubsub_name"),
        ("inventory", "state_store_name"),
        ("inventory", "secret_store_name"),
        ("products", "state_store_name"),
    ],
)
def test_the_components_have_the_names_that_the_code_calls(service: str, setting: str) -> None:
    assert one(f"base/{service}/dapr", "Component", getattr(DEFAULTS, setting))


def test_every_secret_that_is_referred_to_is_made(cluster: FakeCluster) -> None:
    cluster.resources += [made("Namespace", name) for name in (INFRASTRUCTURE, *NAMESPACES.values())]
    credentials.create_missing(made_here=True)
    folders = {f"base/{service}": namespace for service, namespace in NAMESPACES.items()}
    for folder, namespace in {**folders, "infrastructure": INFRASTRUCTURE}.items():
        wanted = [pair for each in files.resources(folder) for pair in files.secret_keys(each)]
        assert wanted
        for name, key in wanted:
            assert key in cluster.secret(namespace, name), f"{key} of {name} in {namespace}"


@each_service
def test_the_image_is_the_one_that_is_given_its_version(service: str) -> None:
    assert container(deployment(service))["image"] == f"dapr-hero-{service}"  # as in test_overlay.py


@each_service
def test_the_pod_has_the_time_that_its_end_takes(service: str) -> None:
    found = deployment(service)
    needed = (
        container(found)["lifecycle"]["preStop"]["sleep"]["seconds"]
        + STOP_TIMEOUT_SECONDS
        + int(annotations(found)["graceful-shutdown-seconds"])
    )
    assert found["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] > needed


@each_service
def test_daprd_takes_what_the_service_takes(service: str) -> None:
    assert annotations(deployment(service))["max-body-size"] == f"{MAX_MESSAGE_BYTES >> 20}Mi"


@pytest.mark.parametrize("folder", ["base", "infrastructure"])
def test_no_service_link_of_kubernetes_is_taken_for_a_setting(folder: str) -> None:
    found = [each for each in files.resources(folder) if each["kind"] in ("Deployment", "StatefulSet")]
    assert found
    assert all(each["spec"]["template"]["spec"]["enableServiceLinks"] is False for each in found)


def test_the_network_lets_through_what_is_needed() -> None:
    policies = files.resources("components/production")
    named = {
        (p["metadata"]["namespace"], p["metadata"]["name"]): p for p in policies if "policyTypes" in p["spec"]
    }
    inventory = named[NAMESPACES["inventory"], "inventory"]
    products = named[NAMESPACES["products"], "products"]
    assert ports(inventory, "ingress") == {"": {DEFAULTS.inventory_port}}
    assert ports(inventory, "egress")[NAMESPACES["products"]] == {SIDECAR_PORT}
    assert ports(inventory, "egress")[INFRASTRUCTURE] == set(STORES.values())
    assert ports(products, "ingress") == {NAMESPACES["inventory"]: {SIDECAR_PORT}}
    assert ports(products, "egress")[INFRASTRUCTURE] == {STORES["valkey"], STORES["collector"]}


def test_the_stores_let_in_who_needs_them() -> None:
    policies = files.resources("components/production")
    inside = [
        each
        for each in policies
        if each["metadata"]["namespace"] == INFRASTRUCTURE and each["kind"] == "NetworkPolicy"
    ]
    let_in: dict[str, set[int]] = {}
    for each in inside:
        for namespace, opened in ports(each, "ingress").items():
            let_in.setdefault(namespace, set()).update(opened)
    assert let_in == {
        "": {DEFAULTS.zipkin_port},  # from the collector, in the same namespace
        NAMESPACES["inventory"]: set(STORES.values()),
        NAMESPACES["products"]: {STORES["valkey"], STORES["collector"]},
    }


def test_with_outside_stores_their_ports_are_open() -> None:
    policies = [each for each in files.resources("overlays/external") if each["kind"] == "NetworkPolicy"]
    opened = {each["metadata"]["namespace"]: ports(each, "egress")[""] for each in policies}
    assert opened == {
        NAMESPACES["inventory"]: set(STORES.values()),
        NAMESPACES["products"]: {STORES["valkey"], STORES["collector"]},
    }
