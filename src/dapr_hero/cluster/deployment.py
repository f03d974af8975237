"""Deploys the platform to a cluster, and deletes it."""

from dapr_hero.cluster import credentials, kubectl, preflight, rollout
from dapr_hero.cluster.overlay import Overlay
from dapr_local.progress import Report

_ROLLOUT_SECONDS = 300


def deploy(overlay: Overlay, report: Report) -> None:
    """Bring the overlay into the cluster and wait until it runs; what is there already is updated.

    Raises: ClusterError. Problems of the cluster or the overlay are found before anything is changed.
    """
    resources = overlay.build()
    preflight.check()
    report.say(f"deploying {overlay.name} in mode {overlay.mode.value}")
    kubectl.apply(*[each for each in resources if each["kind"] == "Namespace"])
    ours = any(each["kind"] == "StatefulSet" for each in resources)
    credentials.create_missing(made_here=ours)
    kubectl.apply(*resources)
    rollout.wait(report, _ROLLOUT_SECONDS)


def undeploy(overlay: Overlay, report: Report) -> None:
    """Take it out again, with its namespaces, their secrets and all data. Raises: ClusterError."""
    report.say("removing the platform, its namespaces and their data")
    # The rest is inside of the namespaces; and where Dapr is gone before, its resources have no kind.
    whole = [each for each in overlay.build() if "namespace" not in each["metadata"]]
    kubectl.delete(*whole, timeout=_ROLLOUT_SECONDS)
