"""`dapr-hero k8s` as a person calls it: what it does, and what it says, changing nothing, when it cannot."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dapr_hero.cli import main
from tests.unit.cluster.fake_cluster import FakeCluster, container, control_plane, made, pod, workload

ROOT = Path(__file__).parents[3]
ALL_ELSE = ("PersistentVolume", "StatefulSet", "Deployment", "Pod")
NAMESPACES = ("dapr-hero", "dapr-hero-inventory", "dapr-hero-products")

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def hero(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], cluster: FakeCluster) -> Call:
    """The command in the repository: its exit code, what it prints, and its errors."""
    monkeypatch.chdir(ROOT)
    for key in ("OVERLAY", "TAG", "REGISTRY", "DAPR_MODE"):
        monkeypatch.delenv(key, raising=False)
    cluster.built = [
        *(made("Namespace", name) for name in NAMESPACES),
        made("PersistentVolume", "valkey"),
        workload("StatefulSet", "valkey", "dapr-hero"),
        workload("Deployment", "inventory", "dapr-hero-inventory"),
        pod("inventory-1", "dapr-hero-inventory", "inventory", container("inventory")),
    ]

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["dapr-hero", "k8s", *arguments])
        with pytest.raises(SystemExit) as ended:
            main.main()
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return call


def test_deploy_brings_all_of_it_and_says_where_it_is(hero: Call, cluster: FakeCluster) -> None:
    code, out, _ = hero("deploy", "--mode", "sdk-grpc")
    assert code == 0
    assert cluster.find("Deployment", "inventory", "dapr-hero-inventory")
    assert cluster.secret("dapr-hero-products", "app-api-token")
    assert "deploying kind in mode sdk-grpc" in out
    assert "inventory-1" in out


def test_namespaces_come_first_then_secrets_then_what_reads_them(hero: Call, cluster: FakeCluster) -> None:
    hero("deploy")
    assert list(dict.fromkeys(cluster.applied)) == ["Namespace", "Secret", *ALL_ELSE]


@pytest.mark.parametrize(
    ("broken", "arguments", "told"),
    [
        (lambda c: c.resources.pop(0), (), "Dapr is not installed in the cluster"),
        (
            lambda c: c.version["serverVersion"].update(gitVersion="v1.29.4"),
            (),
            "the cluster runs Kubernetes 1.29: 1.30 or later is needed",
        ),
        (
            lambda c: c.resources.__setitem__(0, control_plane("operator", tag="1.15.0")),
            (),
            "the cluster runs Dapr 1.15.0",
        ),
        (lambda c: None, ("--overlay", "nowhere"), "there is no overlay 'nowhere': choose one of bare, "),
    ],
)
def test_a_deployment_that_cannot_start_is_one_line_and_changes_nothing(
    broken: Callable[[FakeCluster], None],
    arguments: tuple[str, ...],
    told: str,
    hero: Call,
    cluster: FakeCluster,
) -> None:
    broken(cluster)
    code, _, err = hero("deploy", *arguments)
    assert (code, err.count("\n")) == (1, 1)
    assert err.startswith(f"error: {told}")
    assert cluster.changes == []


def test_an_unknown_mode_is_wrong_usage_and_changes_nothing(hero: Call, cluster: FakeCluster) -> None:
    code, _, err = hero("deploy", "--mode", "sdk")
    assert code == 2
    assert all(mode in err for mode in ("sdk-http", "sdk-grpc", "custom-http", "custom-grpc"))
    assert cluster.changes == []


def test_an_unknown_mode_in_the_environment_is_one_line_and_changes_nothing(
    hero: Call, cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAPR_MODE", "sdk")
    code, _, err = hero("deploy")
    assert (code, err.count("\n")) == (1, 1)
    assert err.startswith("error: DAPR_MODE=sdk cannot be used")
    assert cluster.changes == []


def test_with_outside_servers_nothing_is_deployed_before_their_secrets_are_there(
    hero: Call, cluster: FakeCluster
) -> None:
    cluster.built = [each for each in cluster.built if each["kind"] != "StatefulSet"]
    code, _, err = hero("deploy", "--overlay", "external")
    assert code == 1
    assert err.startswith("error: secrets are missing: valkey in dapr-hero-inventory")
    assert cluster.find("Namespace", "dapr-hero-inventory")  # where they are to be put
    assert cluster.find("Deployment", "inventory", "dapr-hero-inventory") is None


def test_undeploy_removes_the_namespaces_and_what_is_in_none(hero: Call, cluster: FakeCluster) -> None:
    code, out, _ = hero("undeploy", "--overlay", "bare")
    assert (code, cluster.changes) == (0, ["delete"])
    assert [each["metadata"]["name"] for each in cluster.deleted] == [*NAMESPACES, "valkey"]
    assert "their data" in out


def test_status_without_the_platform_is_an_error(hero: Call) -> None:
    code, _, err = hero("status")
    assert code == 1
    assert err == "error: the platform is not in this cluster: run `make k8s-deploy`\n"
