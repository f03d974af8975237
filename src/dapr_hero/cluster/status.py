"""The state of the platform in a cluster: workloads, pods and addresses."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from dapr_hero.cluster import kubectl
from dapr_hero.cluster.errors import ClusterError
from dapr_hero.cluster.kubectl import Resource

PART = "--selector=app.kubernetes.io/part-of=dapr-hero"

# A container may end once or twice while what it needs is still coming up.
_MAX_EXPECTED_RESTARTS = 3


class Pod(NamedTuple):
    """A pod, as `dapr-hero k8s status` shows it."""

    namespace: str
    app: str
    name: str
    ready: str
    state: str
    restarts: int
    complaint: str
    """The cluster's message about a pod that is not ready; "" if there is none."""
    crashing: str
    """The container that ends again and again; "" if none does."""


def pods() -> list[Pod]:
    """Return all pods of the platform, the newest last."""
    by_age = "--sort-by=.metadata.creationTimestamp"
    return [_pod(each) for each in kubectl.get("pods", "--all-namespaces", PART, by_age)["items"]]


def mode() -> str:
    """Return the mode of the deployed inventory. Raises: ClusterError if it is not deployed."""
    inventory = kubectl.find("deployment", "inventory", "--namespace=dapr-hero-inventory")
    if inventory is None:
        raise ClusterError("the platform is not in this cluster: run `make k8s-deploy`")
    [app, *_] = inventory["spec"]["template"]["spec"]["containers"]
    return next((each["value"] for each in app["env"] if each["name"] == "DAPR_MODE"), "unknown")


def addresses() -> dict[str, str]:
    """Return the addresses of the web pages: external ones, or the commands that forward a port."""
    found = {
        "REST API": kubectl.find("service", "inventory", "--namespace=dapr-hero-inventory"),
        "traces": kubectl.find("service", "zipkin", "--namespace=dapr-hero"),
    }
    return {what: _address(service) for what, service in found.items() if service}


def _address(service: Resource) -> str:
    if "externalName" in service["spec"]:
        return f"outside of the cluster: {service['spec']['externalName']}"
    metadata, [port, *_] = service["metadata"], [each["port"] for each in service["spec"]["ports"]]
    for ingress in service["status"].get("loadBalancer", {}).get("ingress", []):
        return f"http://{ingress.get('ip') or ingress.get('hostname')}:{port}"
    return (
        f"kubectl port-forward --namespace {metadata['namespace']} service/{metadata['name']} {port}:{port}"
    )


def _pod(pod: Resource) -> Pod:
    containers = list(_containers(pod))
    ended = "Terminating" if "deletionTimestamp" in pod["metadata"] else pod["status"].get("phase", "unknown")
    waiting = [each["state"]["waiting"] for each in containers if "waiting" in each.get("state", {})]
    return Pod(
        pod["metadata"]["namespace"],
        pod["metadata"]["labels"]["app.kubernetes.io/name"],
        pod["metadata"]["name"],
        f"{sum(each['ready'] for each in containers)}/{len(containers)}",
        next((each["reason"] for each in waiting if "reason" in each), ended),
        sum(each["restartCount"] for each in containers),
        _complaint(pod, waiting),
        next((each["name"] for each in containers if _crashes(each)), ""),
    )


def _containers(pod: Resource) -> Iterator[Resource]:
    """Return the containers that run as long as the pod, native sidecars among the init containers included."""
    lasting = {each["name"] for each in pod["spec"].get("initContainers", []) if "restartPolicy" in each}
    yield from pod["status"].get("containerStatuses", [])
    yield from (each for each in pod["status"].get("initContainerStatuses", []) if each["name"] in lasting)


def _crashes(container: Resource) -> bool:
    reason = container["state"].get("waiting", {}).get("reason")
    return bool(reason == "CrashLoopBackOff" and container["restartCount"] >= _MAX_EXPECTED_RESTARTS)


def _complaint(pod: Resource, waiting: list[dict[str, Any]]) -> str:
    conditions = [each for each in pod["status"].get("conditions", []) if each["status"] == "False"]
    return next((each["message"] for each in [*waiting, *conditions] if each.get("message")), "")
