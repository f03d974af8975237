"""Waiting until the cluster has become what it was told to be."""

import time

from dapr_hero.cluster import kubectl, status
from dapr_hero.cluster.errors import ClusterError
from dapr_hero.cluster.kubectl import Resource
from dapr_hero.local.report import Report

_PAUSE_SECONDS = 0.5


def wait(report: Report, seconds: float) -> None:
    """Until all workloads run as they should. Raises: ClusterError that says which pods do not, and why."""
    deadline = time.monotonic() + seconds
    total, done = len(_workloads()), 0
    with report.track("rolling out", total, "workloads") as advance:
        while done < total:
            finished = sum(_is_rolled_out(each) for each in _workloads())
            advance(max(0, finished - done))
            done = max(done, finished)
            if finished == total:
                return
            if time.monotonic() > deadline:
                raise ClusterError(f"not ready within {seconds:.0f} s: {_complaints() or 'no pod says why'}")
            time.sleep(_PAUSE_SECONDS)


def _workloads() -> list[Resource]:
    found: list[Resource] = kubectl.get("deployments,statefulsets", "--all-namespaces", status.PART)["items"]
    return found


def _is_rolled_out(workload: Resource) -> bool:
    wanted, now = workload["spec"]["replicas"], workload["status"]
    counts = [now.get(key, 0) for key in ("replicas", "updatedReplicas", "availableReplicas")]
    seen: int = now.get("observedGeneration", 0)
    return seen >= workload["metadata"]["generation"] and counts == [wanted] * 3


def _complaints() -> str:
    return "; ".join(
        f"{each.namespace}/{each.name} is {each.state} ({each.complaint})"
        for each in status.pods()
        if each.complaint
    )
