"""Waits until a rollout is complete."""

import time

from dapr_hero.cluster import kubectl, status
from dapr_hero.cluster.errors import ClusterError
from dapr_hero.cluster.kubectl import Resource
from dapr_local.progress import Report

_PAUSE_SECONDS = 0.5


def wait(report: Report, seconds: float) -> None:
    """Until all workloads run as they should. Raises: ClusterError that says which pods do not, and why."""
    deadline = time.monotonic() + seconds
    workloads = _workloads()
    with report.track("rolling out", len(workloads), "workloads") as advance:
        shown = 0
        while (finished := sum(map(_is_rolled_out, workloads))) < len(workloads):
            advance(max(0, finished - shown))
            shown = max(shown, finished)
            _check_crashes()
            if time.monotonic() > deadline:
                raise ClusterError(f"not ready within {seconds:.0f} s: {_complaints() or 'no pod says why'}")
            time.sleep(_PAUSE_SECONDS)
            workloads = _workloads()
        advance(finished - shown)


def _workloads() -> list[Resource]:
    found: list[Resource] = kubectl.get("deployments,statefulsets", "--all-namespaces", status.PART)["items"]
    return found


def _is_rolled_out(workload: Resource) -> bool:
    wanted, now = workload["spec"]["replicas"], workload["status"]
    counts = [now.get(key, 0) for key in ("replicas", "updatedReplicas", "availableReplicas")]
    seen: int = now.get("observedGeneration", 0)
    return seen >= workload["metadata"]["generation"] and counts == [wanted] * 3


def _check_crashes() -> None:
    """Check for containers that keep crashing. Raises: ClusterError with their last lines."""
    # Only of the newest of each app: an older one may be what this rollout repairs.
    for pod in {each.app: each for each in status.pods()}.values():
        if pod.crashing:
            words = kubectl.run(
                "logs", f"--namespace={pod.namespace}", pod.name, f"--container={pod.crashing}"
            )
            last = (words.strip().splitlines() or ["without a word"])[-1]
            raise ClusterError(f"{pod.namespace}/{pod.name} ends again and again: {last}")


def _complaints() -> str:
    return "; ".join(
        f"{each.namespace}/{each.name} is {each.state} ({each.complaint})"
        for each in status.pods()
        if each.complaint
    )
