"""The manifests as they are in the repository."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.unit.cluster.fake_cluster import Resource

ROOT = Path(__file__).parents[3]
K8S = ROOT / "k8s"


def resources(folder: str) -> list[Resource]:
    """All in a folder below k8s; a kustomization is none."""
    return [each for path in sorted((K8S / folder).rglob("*.yaml")) for each in _documents(path)]


def one(folder: str, kind: str, name: str) -> Resource:
    """The only one of this kind and name in the folder."""
    [found] = [
        each
        for each in resources(folder)
        if each["kind"] == kind and each.get("metadata", {}).get("name") == name
    ]
    return found


def container(workload: Resource) -> dict[str, Any]:
    """Its only container."""
    [found] = workload["spec"]["template"]["spec"]["containers"]
    return dict(found)


def annotations(workload: Resource) -> dict[str, str]:
    """Return the annotations for Dapr's injector, without the prefix `dapr.io/`."""
    found = workload["spec"]["template"]["metadata"]["annotations"]
    return {key.removeprefix("dapr.io/"): value for key, value in found.items()}


def ports(policy: Resource, direction: str) -> dict[str, set[int]]:
    """Return the ports that a NetworkPolicy opens, by namespace; "" is any."""
    opened: dict[str, set[int]] = {}
    for rule in policy["spec"].get(direction, []):
        for namespace in _namespaces(rule.get("from" if direction == "ingress" else "to", [])):
            opened.setdefault(namespace, set()).update(each["port"] for each in rule.get("ports", []))
    return opened


def secret_keys(value: Any) -> Iterator[tuple[str, str]]:
    """Each secret and key that is referred to anywhere inside, by `secretKeyRef` or as files of a volume."""
    if isinstance(value, list):
        for each in value:
            yield from secret_keys(each)
    elif isinstance(value, dict):
        if reference := value.get("secretKeyRef"):
            yield reference["name"], reference["key"]
        if "secretName" in value:
            yield from ((value["secretName"], each["key"]) for each in value.get("items", []))
        for each in value.values():
            yield from secret_keys(each)


def _documents(path: Path) -> list[Resource]:
    found = yaml.safe_load_all(path.read_text())
    return [each for each in found if each and not each["apiVersion"].startswith("kustomize.")]


def _namespaces(peers: list[dict[str, Any]]) -> Iterator[str]:
    label = "kubernetes.io/metadata.name"
    for peer in peers or [{}]:
        selector = peer.get("namespaceSelector", {})
        expressions = [each for each in selector.get("matchExpressions", []) if each["key"] == label]
        yield from (value for each in expressions for value in each["values"])
        if not expressions:
            yield selector.get("matchLabels", {}).get(label, "")
