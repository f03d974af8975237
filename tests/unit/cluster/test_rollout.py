"""The end of a rollout, and the error when it does not complete."""

import pytest

from dapr_hero.cluster import rollout
from dapr_hero.cluster.errors import ClusterError
from tests.unit.cluster.fake_cluster import FakeCluster, Resource, container, pod, workload
from tests.unit.dapr_local.fake_release import RecordingReport


def test_it_ends_when_all_run_as_they_should(cluster: FakeCluster) -> None:
    cluster.resources += [
        workload("Deployment", "inventory", "ns", 2),
        workload("StatefulSet", "valkey", "ns"),
        workload("Deployment", "products", "ns", 0),
    ]
    report = RecordingReport()
    rollout.wait(report, seconds=0)
    assert report.tracked == {"rolling out": (3, 3)}


@pytest.mark.parametrize(
    "counts",
    [
        {"observedGeneration": 0},  # all are counts of what was before
        {"replicas": 3},  # an old one is still there
        {"updatedReplicas": 1},
        {"availableReplicas": 1},
    ],
)
def test_it_is_not_done_before(counts: dict[str, int], cluster: FakeCluster) -> None:
    cluster.resources.append(workload("Deployment", "inventory", "ns", 2, **counts))
    with pytest.raises(ClusterError, match=r"^not ready within 0 s: no pod says why$"):
        rollout.wait(RecordingReport(), seconds=0)


def test_it_waits_for_the_last_one(cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = workload("Deployment", "slow", "ns", availableReplicas=0)
    cluster.resources += [workload("Deployment", "quick", "ns"), slow]
    monkeypatch.setattr("time.sleep", lambda _: slow["status"].update(availableReplicas=1))
    report = RecordingReport()
    rollout.wait(report, seconds=60)
    assert report.tracked == {"rolling out": (2, 2)}


def unready(*containers: Resource) -> list[Resource]:
    return [
        workload("Deployment", "inventory", "ns", availableReplicas=0),
        pod("inventory-1", "ns", "inventory", *containers),
    ]


def test_after_the_deadline_the_pods_say_why(cluster: FakeCluster) -> None:
    waiting = container("inventory", ready=False, reason="ErrImagePull", message="no such image")
    cluster.resources += unready(waiting)
    with pytest.raises(
        ClusterError, match=r"^not ready within 0 s: ns/inventory-1 is ErrImagePull \(no such image\)$"
    ):
        rollout.wait(RecordingReport(), seconds=0)


def test_one_that_ends_again_and_again_is_told_at_once(cluster: FakeCluster) -> None:
    cluster.log = "starting\nerror: DAPR_HERO_TRACING=x cannot be used\n"
    cluster.resources += unready(container("inventory", 3, ready=False, reason="CrashLoopBackOff"))
    with pytest.raises(
        ClusterError, match=r"^ns/inventory-1 ends again and again: error: DAPR_HERO_TRACING=x"
    ):
        rollout.wait(RecordingReport(), seconds=600)


def test_the_crashes_of_the_pod_that_is_being_replaced_do_not_count(cluster: FakeCluster) -> None:
    cluster.resources += unready(container("inventory", 9, ready=False, reason="CrashLoopBackOff"))
    cluster.resources.append(pod("inventory-2", "ns", "inventory", container("inventory", ready=False)))
    with pytest.raises(ClusterError, match=r"^not ready within 0 s"):
        rollout.wait(RecordingReport(), seconds=0)
