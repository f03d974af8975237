"""The evidence of a failure in a cluster: logs, events and descriptions of all namespaces of the platform."""

from pathlib import Path

from dapr_hero.cluster import kubectl
from dapr_hero.cluster.errors import ClusterError
from tests.e2e.cluster import INFRASTRUCTURE, INVENTORY, PRODUCTS, VISITOR

NAMESPACES = (INFRASTRUCTURE, INVENTORY, PRODUCTS, VISITOR, "dapr-system")


def collect(folder: Path) -> None:
    """One folder for each namespace."""
    for namespace in NAMESPACES:
        _collect(namespace, folder / namespace)


def _collect(namespace: str, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    here = f"--namespace={namespace}"
    _keep(folder / "events.txt", "get", "events", here, "--sort-by=.lastTimestamp")
    _keep(folder / "pods.txt", "describe", "pods", here)
    for pod in kubectl.get("pods", here)["items"]:
        name = pod["metadata"]["name"]
        for container in [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]:
            log = f"{name}-{container['name']}"
            _keep(folder / f"{log}.log", "logs", here, name, f"--container={container['name']}")


def _keep(file: Path, *arguments: str) -> None:
    """Also if there is nothing to keep: then why."""
    try:
        file.write_text(kubectl.run(*arguments))
    except ClusterError as error:
        file.write_text(f"{error}\n")
