"""A cluster that lacks something is refused with one line that says what, and what to do."""

from collections.abc import Callable

import pytest

from dapr_hero.cluster import preflight
from dapr_hero.cluster.errors import ClusterError
from dapr_local.install.pins import VERSION
from tests.unit.cluster.fake_cluster import INSTALLED, FakeCluster, control_plane


def test_a_cluster_that_has_all_is_taken_and_left_alone(cluster: FakeCluster) -> None:
    preflight.check()
    assert cluster.changes == []


@pytest.mark.parametrize("version", ["v1.30.0", "v1.31.4-gke.1", "v1.35.4+k3s1", "v2.0.0"])
def test_a_new_enough_kubernetes_is_taken(version: str, cluster: FakeCluster) -> None:
    cluster.version = {"serverVersion": {"gitVersion": version}}
    preflight.check()


@pytest.mark.parametrize("version", ["v1.29.15", "v1.9.0-eks", "v0.36.1"])
def test_an_old_kubernetes_is_refused(version: str, cluster: FakeCluster) -> None:
    cluster.version = {"serverVersion": {"gitVersion": version}}
    with pytest.raises(ClusterError, match=r"^the cluster runs Kubernetes [\d.]+: 1\.30 or later is needed$"):
        preflight.check()


def test_without_a_cluster_there_is_a_way_to_get_one(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: str) -> str:
        raise ClusterError("connection refused")

    monkeypatch.setattr("dapr_hero.cluster.kubectl.run", refused)
    with pytest.raises(ClusterError, match=r"^no cluster answers \(connection refused\): set KUBECONFIG"):
        preflight.check()


@pytest.mark.parametrize("tag", ["1.18.4", "1.19.0-mariner", "edge", f"{VERSION}@sha256:1a", "2"])
def test_a_new_enough_dapr_is_taken(tag: str, cluster: FakeCluster) -> None:
    cluster.resources[0] = control_plane("operator", tag=tag)
    preflight.check()


def test_a_dapr_by_its_digest_alone_is_taken(cluster: FakeCluster) -> None:
    cluster.resources[0] = control_plane("operator", tag="@sha256:1a2b")
    cluster.resources[0]["spec"]["template"]["spec"]["containers"][0]["image"] = "daprio/dapr@sha256:1a2b"
    preflight.check()


def without(index: int) -> Callable[[FakeCluster], None]:
    return lambda cluster: cluster.resources.__delitem__(index)


def replaced(index: int, **changes: object) -> Callable[[FakeCluster], None]:
    return lambda cluster: cluster.resources[index].update(changes)


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        (without(0), "Dapr is not installed in the cluster: run `make dapr-install`"),
        (without(2), "Dapr is not installed in the cluster: run `make dapr-install`"),
        (replaced(0, **control_plane("operator", tag="1.17.4")), "runs Dapr 1.17.4: .* or later is needed"),
        (without(3), "Dapr runs without mTLS: install it with --set global.mtls.enabled=true"),
        (replaced(3, spec={"mtls": {"enabled": False}}), "Dapr runs without mTLS"),
        (without(1), "Dapr's sidecars would keep capabilities"),
        (
            replaced(1, **control_plane("sidecar-injector", INSTALLED | {"value": "false"})),
            "install it with --set dapr_sidecar_injector.sidecarDropALLCapabilities=true",
        ),
    ],
)
def test_each_lack_of_dapr_is_told(
    broken: Callable[[FakeCluster], None], told: str, cluster: FakeCluster
) -> None:
    broken(cluster)
    with pytest.raises(ClusterError, match=told) as error:
        preflight.check()
    assert "\n" not in str(error.value)
