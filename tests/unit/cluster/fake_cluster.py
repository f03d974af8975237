"""A cluster behind a `kubectl.run` of our own: it keeps what is applied, and remembers what was changed."""

import base64
import json
from collections.abc import Iterator
from typing import Any

from dapr_hero.cluster.errors import ClusterError
from dapr_local.install.pins import VERSION

Resource = dict[str, Any]

INSTALLED = {"name": "SIDECAR_DROP_ALL_CAPABILITIES", "value": "true"}


class FakeCluster:
    """One with Dapr in it; its workloads are ready as soon as they are there."""

    def __init__(self) -> None:
        self.version: Resource = {"serverVersion": {"gitVersion": "v1.35.4"}}
        self.built: list[Resource] = []
        """The result of kustomize for any folder."""
        self.resources: list[Resource] = [
            control_plane("operator"),
            control_plane("sidecar-injector", INSTALLED),
            made("CRD", "subscriptions.dapr.io"),
            made("Configurations.dapr.io", "daprsystem", "dapr-system", spec={"mtls": {"enabled": True}}),
        ]
        self.log = ""
        """The log of every container."""
        self.changes: list[str] = []
        """The verbs that change something, as they came."""
        self.applied: list[str] = []
        """The kinds, as they came."""
        self.deleted: list[Resource] = []

    def run(self, *arguments: str, given: str | None = None, timeout: float = 0) -> str:
        verb, *rest = arguments
        if verb == "version":
            return json.dumps(self.version)
        if verb == "kustomize":
            return "---\n".join(json.dumps(each) + "\n" for each in self.built)
        if verb == "get":
            return self._get(rest)
        if verb == "logs":
            return self.log
        self.changes.append(verb)
        items = json.loads(given or "")["items"]
        if verb == "delete":
            self.deleted += items
        else:
            self._apply(items)
        return ""

    def find(self, kind: str, name: str, namespace: str = "") -> Resource | None:
        found = (each for each in self.resources if (each["kind"], each["metadata"]["name"]) == (kind, name))
        return next((each for each in found if each["metadata"].get("namespace", "") == namespace), None)

    def secret(self, namespace: str, name: str) -> dict[str, str]:
        """Return a resource; {} when there is no such one."""
        found = self.find("Secret", name, namespace) or {"data": {}}
        return {key: base64.b64decode(value).decode() for key, value in found["data"].items()}

    def _get(self, arguments: list[str]) -> str:
        kinds, *rest = (each for each in arguments if not each.startswith("--output"))
        found = list(
            self._matching(kinds.split(","), dict(each.split("=", 1) for each in rest if "=" in each))
        )
        if "--all-namespaces" in rest:
            return json.dumps({"items": found})
        return next((json.dumps(each) for each in found if each["metadata"]["name"] == rest[0]), "")

    def _matching(self, kinds: list[str], options: dict[str, str]) -> Iterator[Resource]:
        for each in self.resources:
            labels, namespace = each["metadata"].get("labels", {}), each["metadata"].get("namespace")
            of_kind = each["kind"].lower() in [kind.removesuffix("s") for kind in kinds] + kinds
            key, _, value = options.get("--selector", "").partition("=")
            selected = not key or labels.get(key) == value
            if of_kind and selected and options.get("--namespace", namespace) == namespace:
                yield each

    def _apply(self, items: list[Resource]) -> None:
        for each in items:
            metadata = each["metadata"]
            self.applied.append(each["kind"])
            if "namespace" in metadata and not self.find("Namespace", metadata["namespace"]):
                raise ClusterError(f'namespaces "{metadata["namespace"]}" not found')
            before = self.find(each["kind"], metadata["name"], metadata.get("namespace", ""))
            if before is not None:
                self.resources.remove(before)
            self.resources.append(_as_stored(each))


def made(kind: str, name: str, namespace: str = "", **more: Any) -> Resource:
    """A resource of the platform."""
    metadata: Resource = {"name": name, "labels": {"app.kubernetes.io/part-of": "dapr-hero"}, "generation": 1}
    return {"kind": kind, "metadata": metadata | ({"namespace": namespace} if namespace else {}), **more}


def workload(kind: str, name: str, namespace: str, wanted: int = 1, **counts: int) -> Resource:
    """A Deployment or StatefulSet that runs as it should, but for these counts of its status."""
    container = {"name": name, "env": [{"name": "DAPR_MODE", "value": "sdk-grpc"}]}
    spec = {"replicas": wanted, "template": {"spec": {"containers": [container]}}}
    status = dict.fromkeys(("replicas", "updatedReplicas", "availableReplicas"), wanted)
    return made(kind, name, namespace, spec=spec, status={"observedGeneration": 1, **status, **counts})


def pod(name: str, namespace: str, app: str, *containers: Resource, **more: Any) -> Resource:
    """A pod with the statuses of its containers."""
    status = {"phase": "Running", "containerStatuses": list(containers), **more}
    found = made("Pod", name, namespace, spec={}, status=status)
    found["metadata"]["labels"]["app.kubernetes.io/name"] = app
    return found


def container(name: str, restarts: int = 0, *, ready: bool = True, **waiting: str) -> Resource:
    """The status of one; `waiting` is what it waits for."""
    state = {"waiting": waiting} if waiting else {"running": {}}
    return {"name": name, "ready": ready, "restartCount": restarts, "state": state}


def control_plane(name: str, *variables: Resource, tag: str = VERSION) -> Resource:
    """A Deployment of Dapr's, as its chart makes it."""
    container = {"image": f"daprio/{name}:{tag}", "env": list(variables)}
    metadata = {"name": f"dapr-{name}", "namespace": "dapr-system", "labels": {"app": f"dapr-{name}"}}
    return {
        "kind": "Deployment",
        "metadata": metadata,
        "spec": {"template": {"spec": {"containers": [container]}}},
    }


def _as_stored(resource: Resource) -> Resource:
    if resource["kind"] != "Secret":
        return resource
    encoded = {
        key: base64.b64encode(value.encode()).decode() for key, value in resource["stringData"].items()
    }
    return {**resource, "data": encoded}
