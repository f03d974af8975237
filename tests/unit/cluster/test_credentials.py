"""Secrets are made once, fit each other, and are never changed by a later deployment."""

import pytest

from dapr_hero.cluster import credentials
from dapr_hero.cluster.errors import ClusterError
from dapr_hero.settings import Settings
from tests.unit.cluster.fake_cluster import FakeCluster, made

DEFAULTS = Settings.model_construct()
INVENTORY, PRODUCTS = DEFAULTS.inventory_namespace, DEFAULTS.products_namespace
SERVICES = (INVENTORY, PRODUCTS)


@pytest.fixture(autouse=True)
def namespaces(cluster: FakeCluster) -> None:
    cluster.resources += [made("Namespace", name) for name in ("dapr-hero", *SERVICES)]


def all_secrets(cluster: FakeCluster) -> dict[tuple[str, str], dict[str, str]]:
    names = [
        (each["metadata"]["namespace"], each["metadata"]["name"])
        for each in cluster.resources
        if each["kind"] == "Secret"
    ]
    return {(namespace, name): cluster.secret(namespace, name) for namespace, name in names}


def test_each_side_has_the_same_password(cluster: FakeCluster) -> None:
    credentials.create_missing(made_here=True)
    password = cluster.secret("dapr-hero", "valkey")["password"]
    assert len(password) >= 32
    assert cluster.secret("dapr-hero", "valkey")["password.conf"] == f"requirepass {password}\n"
    assert [cluster.secret(each, "valkey") for each in SERVICES] == [{"password": password}] * 2
    assert cluster.secret(INVENTORY, "postgres") == {
        "host": "postgres.dapr-hero.svc.cluster.local",
        "port": "5432",
        "username": "inventory",
        "password": cluster.secret("dapr-hero", "postgres")["inventory-password"],
        "database": "inventory",
    }


def test_every_secret_value_is_another(cluster: FakeCluster) -> None:
    credentials.create_missing(made_here=True)
    found = all_secrets(cluster)
    tokens = [
        found[each, token]["token"] for each in SERVICES for token in ("dapr-api-token", "app-api-token")
    ]
    passwords = [found["dapr-hero", "valkey"]["password"], *found["dapr-hero", "postgres"].values()]
    assert len({*tokens, *passwords}) == len(tokens) + len(passwords)


def test_a_later_deployment_changes_nothing(cluster: FakeCluster) -> None:
    credentials.create_missing(made_here=True)
    before = all_secrets(cluster)
    credentials.create_missing(made_here=True)
    assert all_secrets(cluster) == before


def test_a_secret_that_somebody_emptied_is_made_anew(cluster: FakeCluster) -> None:
    cluster.resources.append(made("Secret", "postgres", INVENTORY))
    credentials.create_missing(made_here=True)
    assert cluster.secret(INVENTORY, "postgres")["username"] == "inventory"


def test_the_local_settings_in_env_do_not_reach_the_cluster(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAPR_HERO_POSTGRES_PORT", "15432")
    monkeypatch.setenv("DAPR_HERO_INVENTORY_NAMESPACE", "elsewhere")
    credentials.create_missing(made_here=True)
    assert cluster.secret(INVENTORY, "postgres")["port"] == "5432"


def test_those_of_outside_servers_must_be_there(cluster: FakeCluster) -> None:
    cluster.resources.append(made("Secret", "valkey", INVENTORY, data={"password": "eA=="}))
    told = f"^secrets are missing: valkey in {PRODUCTS}, postgres in {INVENTORY}; docs/guides/deploy.md says"
    with pytest.raises(ClusterError, match=told):
        credentials.create_missing(made_here=False)
    assert cluster.changes == []


def test_those_of_outside_servers_stay_as_they_are(cluster: FakeCluster) -> None:
    given = {"password": "eA=="}
    theirs = [("valkey", INVENTORY), ("valkey", PRODUCTS), ("postgres", INVENTORY)]
    cluster.resources += [made("Secret", name, namespace, data=given) for name, namespace in theirs]
    credentials.create_missing(made_here=False)
    found = all_secrets(cluster)
    assert all(found[namespace, name] == {"password": "x"} for name, namespace in theirs)
    assert ("dapr-hero", "valkey") not in found
    assert len(found) == len(theirs) + 4
