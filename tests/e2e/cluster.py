"""The platform in a cluster, as the tests reach it: through kubectl alone, so that any cluster will do."""

import base64
import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx2 as httpx

from dapr_hero.cluster import kubectl
from dapr_hero.contract import items
from dapr_hero.testing import eventually

INFRASTRUCTURE = "dapr-hero"
INVENTORY = "dapr-hero-inventory"
PRODUCTS = "dapr-hero-products"
VISITOR = "dapr-hero-visitor"

_FORWARDED = re.compile(r"Forwarding from 127\.0\.0\.1:(\d+)")


@contextmanager
def forwarded(namespace: str, target: str, port: int) -> Iterator[int]:
    """A local port that leads to this one of a pod, even if that listens on the pod's loopback only."""
    command = ["kubectl", "port-forward", "--namespace", namespace, target, f":{port}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            assert process.stdout
            line = process.stdout.readline()
            found = _FORWARDED.match(line)
            assert found, f"{' '.join(command)}: {line}"
            yield int(found[1])
        finally:
            process.terminate()


@dataclass(frozen=True)
class Api:
    """Inventory's REST API, or another of its ports."""

    base: str
    http: httpx.Client

    def get(self, path: str) -> httpx.Response:
        return self.http.get(f"{self.base}{path}")

    def post(self, path: str) -> httpx.Response:
        return self.http.post(f"{self.base}{path}")

    def delete(self, path: str) -> httpx.Response:
        return self.http.delete(f"{self.base}{path}")

    def stored(self, resource: str, id: str, *, seconds: float = 60) -> dict[str, Any]:
        """The item, once it is there."""
        return eventually(lambda: self._found(f"/v1/{resource}/{quote(id, safe='')}"), seconds=seconds)

    def _found(self, path: str) -> dict[str, Any]:
        answer = self.get(path)
        item: dict[str, Any] = answer.json() if answer.status_code == 200 else {}
        return item


@contextmanager
def api(
    port: int = 3000, namespace: str = INVENTORY, target: str = "service/inventory", **headers: str
) -> Iterator[Api]:
    with forwarded(namespace, target, port) as local, httpx.Client(timeout=30, headers=headers) as http:
        yield Api(f"http://127.0.0.1:{local}", http)


@contextmanager
def dead_letters() -> Iterator[Api]:
    """Their private API, which listens on the pod's loopback and wants daprd's token."""
    token = {"dapr-api-token": secret(INVENTORY, "dapr-api-token")["token"]}
    with api(3003, target="deployment/inventory", **token) as private:
        yield private


def publish(*events: Mapping[str, Any], **headers: str) -> None:
    """Through the sidecar of inventory, as its app would."""
    token = secret(INVENTORY, "dapr-api-token")["token"]
    whole = {"content-type": "application/cloudevents+json", "dapr-api-token": token, **headers}
    with forwarded(INVENTORY, "deployment/inventory", 3500) as port, httpx.Client(timeout=30) as http:
        for event in events:
            url = f"http://127.0.0.1:{port}/v1.0/publish/pubsub/inventory"
            http.post(url, content=items.encode(event), headers=whole).raise_for_status()


def secret(namespace: str, name: str) -> dict[str, str]:
    data = kubectl.get("secret", name, f"--namespace={namespace}")["data"]
    return {key: base64.b64decode(value).decode() for key, value in data.items()}


def pods_of(app: str, namespace: str) -> list[dict[str, Any]]:
    """The pods of a service that are not about to end."""
    selector = f"--selector=app.kubernetes.io/name={app}"
    found = kubectl.get("pods", f"--namespace={namespace}", selector)["items"]
    return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]


def scale(app: str, namespace: str, replicas: int) -> None:
    """To so many pods, and wait until that is so."""
    kubectl.run("scale", f"--namespace={namespace}", f"deployment/{app}", f"--replicas={replicas}")
    settled(app, namespace)
    if replicas == 0:
        selector = f"--selector=app.kubernetes.io/name={app}"
        kubectl.run("wait", "--for=delete", "pod", f"--namespace={namespace}", selector, "--timeout=90s")


def settled(name: str, namespace: str, kind: str = "deployment") -> None:
    kubectl.run(
        "rollout", "status", f"--namespace={namespace}", f"{kind}/{name}", "--timeout=180s", timeout=200
    )


def execute(
    namespace: str, target: str, container: str, script: str, *arguments: str, seconds: float = 120
) -> str:
    """Run a Python script inside a container, which has no shell; return its output."""
    command = ["kubectl", "exec", "--stdin", "--namespace", namespace, target, "--container", container]
    done = subprocess.run(
        [*command, "--", "/app/bin/python", "-", *arguments],
        input=script,
        capture_output=True,
        text=True,
        timeout=seconds,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def as_visitor(script: str, *arguments: str, seconds: float = 120) -> Any:
    """The JSON that a script prints in the pod of another app, in another namespace, with a sidecar."""
    return json.loads(execute(VISITOR, "deployment/visitor", "visitor", script, *arguments, seconds=seconds))
