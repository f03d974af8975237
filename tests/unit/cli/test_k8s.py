"""The options of `dapr-hero k8s`, and the state of the cluster as it is shown."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from dapr_hero.cli.k8s import app
from dapr_hero.cluster import kubectl
from dapr_hero.cluster.errors import ClusterError
from tests.unit.cluster.fake_cluster import FakeCluster, container, made, pod, workload

INVENTORY = "dapr-hero-inventory"


class Cluster(FakeCluster):
    """Keeps the kustomization that was built last."""

    asked: dict[str, Any]

    def run(self, *arguments: str, given: str | None = None, timeout: float = 0) -> str:
        if arguments[0] == "kustomize":
            self.asked = yaml.safe_load(Path(arguments[1], "kustomization.yaml").read_text())
        return super().run(*arguments, given=given, timeout=timeout)


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """One without the platform, seen from a repository with two overlays."""
    for name in ("kind", "other"):
        (tmp_path / "k8s" / "overlays" / name).mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    for key in ("OVERLAY", "TAG", "REGISTRY", "DAPR_MODE"):
        monkeypatch.delenv(key, raising=False)
    cluster = Cluster()
    cluster.built = [
        *(made("Namespace", name) for name in ("dapr-hero", INVENTORY, "dapr-hero-products")),
        workload("StatefulSet", "valkey", "dapr-hero"),
        workload("Deployment", "inventory", INVENTORY),
    ]
    monkeypatch.setattr(kubectl, "run", cluster.run)
    return cluster


def k8s(*arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(app, arguments, env={"COLUMNS": "120", **environment})


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        (["--overlay", "other", "--mode", "sdk-grpc", "--tag", "7", "--registry", "r.example"], {}),
        ([], {"OVERLAY": "other", "DAPR_MODE": "sdk-grpc", "TAG": "7", "REGISTRY": "r.example"}),
        (["--mode", "sdk-grpc", "--tag", "7"], {"OVERLAY": "other", "REGISTRY": "r.example", "TAG": "8"}),
    ],
    ids=["options", "environment", "an option wins"],
)
def test_the_overlay_comes_from_the_options_or_the_environment(
    arguments: list[str], environment: dict[str, str], cluster: Cluster
) -> None:
    assert k8s("deploy", *arguments, **environment).exit_code == 0
    assert cluster.asked["resources"] == ["../overlays/other"]
    assert cluster.asked["components"] == ["../components/modes/sdk-grpc"]
    assert {(each["newName"].split("/")[0], each["newTag"]) for each in cluster.asked["images"]} == {
        ("r.example", "7")
    }


def test_a_deployment_ends_with_the_state_of_what_runs(cluster: Cluster) -> None:
    cluster.built.append(pod("inventory-1", INVENTORY, "inventory", container("inventory")))
    result = k8s("deploy")
    assert result.exit_code == 0
    deploying, state = result.stdout.split("rolling out: done")
    assert "deploying kind in mode sdk-http" in deploying
    assert "inventory-1" in state


def test_the_platform_is_taken_out_without_being_shown(cluster: Cluster) -> None:
    result = k8s("undeploy", "--overlay", "other")
    assert (result.exit_code, cluster.changes) == (0, ["delete"])
    assert cluster.asked["resources"] == ["../overlays/other"]
    assert result.stdout == "removing the platform, its namespaces and their data\n"


def test_the_state_has_a_row_for_each_pod_by_namespace_then_the_mode_and_the_addresses(
    cluster: Cluster,
) -> None:
    service = made("Service", "inventory", INVENTORY, spec={"ports": [{"port": 3000}]}, status={})
    cluster.resources += [
        workload("Deployment", "inventory", INVENTORY),
        service,
        pod("inventory-1", INVENTORY, "inventory", container("inventory", 2), container("d", ready=False)),
        pod("valkey-0", "dapr-hero", "valkey", container("valkey")),
    ]
    result = k8s("status")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    rows = [[cell.strip() for cell in line.strip("│").split("│")] for line in lines if line.startswith("│")]
    assert rows == [
        ["dapr-hero", "valkey-0", "1/1", "Running", "0"],
        [INVENTORY, "inventory-1", "1/2", "Running", "2"],
    ]
    forward = f"kubectl port-forward --namespace {INVENTORY} service/inventory 3000:3000"
    assert lines[-2:] == ["mode      sdk-grpc", f"REST API  {forward}"]


def test_text_of_the_cluster_cannot_control_the_terminal(cluster: Cluster) -> None:
    broken = container("c", ready=False, reason="Bad\x1b[2J\n[red]")
    address = {"loadBalancer": {"ingress": [{"hostname": "h\x1b[2J"}]}}
    cluster.resources += [
        workload("Deployment", "inventory", INVENTORY),
        pod("inventory-1", INVENTORY, "inventory", broken),
        made("Service", "inventory", INVENTORY, spec={"ports": [{"port": 80}]}, status=address),
    ]
    shown = k8s("status").stdout
    assert "\x1b" not in shown
    assert "Bad\\u001b[2J\\n[red]" in shown
    assert "http://h\\u001b[2J:80" in shown


def test_a_cluster_without_the_platform_is_an_error(cluster: Cluster) -> None:
    result = k8s("status")
    assert result.exit_code == 1
    assert isinstance(result.exception, ClusterError)
    assert result.stdout == ""
