"""The order in which the platform comes into a cluster, and what is taken out of it again."""

from pathlib import Path

import pytest

from dapr_hero.cluster import deployment
from dapr_hero.cluster.errors import ClusterError
from dapr_hero.cluster.overlay import Overlay
from dapr_hero.contract.mode import Mode
from tests.unit.cluster.fake_cluster import FakeCluster, made, workload
from tests.unit.dapr_local.fake_release import RecordingReport

INVENTORY = "dapr-hero-inventory"
NAMESPACES = ("dapr-hero", INVENTORY, "dapr-hero-products")
OVERLAY = Overlay("kind", Mode.CUSTOM_HTTP, tag="1.2")


@pytest.fixture(autouse=True)
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cluster: FakeCluster) -> None:
    """An overlay whose namespaces are not at its beginning."""
    (tmp_path / "k8s" / "overlays" / "kind").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    cluster.built = [
        made("ClusterRole", "reader"),
        workload("Deployment", "inventory", INVENTORY),
        workload("StatefulSet", "valkey", "dapr-hero"),
        *(made("Namespace", name) for name in NAMESPACES),
    ]


def test_namespaces_come_first_then_the_secrets_in_them_then_all(cluster: FakeCluster) -> None:
    deployment.deploy(OVERLAY, RecordingReport())
    secrets = cluster.applied.count("Secret")
    assert secrets > 0
    assert cluster.applied == [
        *["Namespace"] * 3,
        *["Secret"] * secrets,
        *["ClusterRole", "Deployment", "StatefulSet"],
        *["Namespace"] * 3,
    ]


def test_it_says_what_it_deploys_and_waits_until_that_runs(cluster: FakeCluster) -> None:
    report = RecordingReport()
    deployment.deploy(OVERLAY, report)
    assert report.lines == ["deploying kind in mode custom-http"]
    assert report.tracked == {"rolling out": (2, 2)}


def test_an_update_keeps_the_passwords_of_our_own_servers(cluster: FakeCluster) -> None:
    deployment.deploy(OVERLAY, RecordingReport())
    before = cluster.secret("dapr-hero", "valkey")
    deployment.deploy(OVERLAY, RecordingReport())
    assert before == cluster.secret("dapr-hero", "valkey") != {}


def test_a_cluster_that_lacks_something_is_not_changed(cluster: FakeCluster) -> None:
    cluster.version["serverVersion"]["gitVersion"] = "v1.29.0"
    report = RecordingReport()
    with pytest.raises(ClusterError, match=r"1\.30 or later is needed"):
        deployment.deploy(OVERLAY, report)
    assert (cluster.changes, report.lines) == ([], [])


def test_without_servers_of_our_own_their_passwords_are_asked_for_and_not_made(cluster: FakeCluster) -> None:
    cluster.built = [each for each in cluster.built if each["kind"] != "StatefulSet"]
    with pytest.raises(ClusterError, match=r"^secrets are missing: valkey in dapr-hero-inventory"):
        deployment.deploy(OVERLAY, RecordingReport())
    assert cluster.applied == ["Namespace"] * 3


def test_undeploy_deletes_the_resources_without_a_namespace(cluster: FakeCluster) -> None:
    report = RecordingReport()
    deployment.undeploy(OVERLAY, report)
    assert cluster.changes == ["delete"]
    assert [each["metadata"]["name"] for each in cluster.deleted] == ["reader", *NAMESPACES]
    assert report.lines == ["removing the platform, its namespaces and their data"]
