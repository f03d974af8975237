"""The status of the platform in a cluster, as it is printed."""

from typing import Any

import pytest

from dapr_hero.cluster import status
from dapr_hero.cluster.errors import ClusterError
from tests.unit.cluster.fake_cluster import FakeCluster, container, made, pod, workload

INVENTORY = "dapr-hero-inventory"


def test_the_mode_is_the_one_in_which_inventory_runs(cluster: FakeCluster) -> None:
    cluster.resources.append(workload("Deployment", "inventory", INVENTORY))
    assert status.mode() == "sdk-grpc"


def test_without_the_platform_it_says_how_to_get_it(cluster: FakeCluster) -> None:
    with pytest.raises(ClusterError, match=r"^the platform is not in this cluster: run `make k8s-deploy`$"):
        status.mode()


def test_the_sidecar_counts_as_a_container_and_what_only_sets_up_does_not(cluster: FakeCluster) -> None:
    first = [container("daprd", 1), container("volume-permissions", 7)]
    found = pod("inventory-1", INVENTORY, "inventory", container("inventory"), initContainerStatuses=first)
    found["spec"] = {
        "initContainers": [{"name": "daprd", "restartPolicy": "Always"}, {"name": "volume-permissions"}]
    }
    cluster.resources.append(found)
    [seen] = status.pods()
    assert (seen.name, seen.ready, seen.state, seen.restarts, seen.complaint, seen.crashing) == (
        "inventory-1",
        "2/2",
        "Running",
        1,
        "",
        "",
    )


def test_a_pod_that_cannot_be_placed_says_why(cluster: FakeCluster) -> None:
    conditions = [
        {"type": "A", "status": "True", "message": "fine"},
        {"type": "PodScheduled", "status": "False", "message": "0/1 nodes are available"},
    ]
    cluster.resources.append(pod("products-1", "ns", "products", conditions=conditions, phase="Pending"))
    [seen] = status.pods()
    assert (seen.ready, seen.state, seen.complaint) == ("0/0", "Pending", "0/1 nodes are available")


def test_one_that_goes_is_told_as_such(cluster: FakeCluster) -> None:
    going = pod("products-1", "ns", "products", container("products"))
    going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    cluster.resources.append(going)
    assert status.pods()[0].state == "Terminating"


@pytest.mark.parametrize(
    ("spec", "balancer", "told"),
    [
        ({"ports": [{"port": 3000}]}, {"ingress": [{"ip": "10.0.0.1"}]}, "http://10.0.0.1:3000"),
        ({"ports": [{"port": 3000}]}, {"ingress": [{"hostname": "a.example"}]}, "http://a.example:3000"),
        (
            {"ports": [{"port": 3000}]},
            {},
            f"kubectl port-forward --namespace {INVENTORY} service/inventory 3000:3000",
        ),
        ({"externalName": "zipkin.example.com"}, {}, "outside of the cluster: zipkin.example.com"),
    ],
)
def test_an_address_is_one_that_can_be_used(
    spec: dict[str, Any], balancer: dict[str, Any], told: str, cluster: FakeCluster
) -> None:
    service = made("Service", "inventory", INVENTORY, spec=spec, status={"loadBalancer": balancer})
    cluster.resources.append(service)
    assert status.addresses() == {"REST API": told}
