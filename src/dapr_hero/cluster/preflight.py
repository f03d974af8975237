"""The requirements of a cluster, checked before anything is changed in it."""

import json
import re
from typing import Any

from dapr_hero.cluster import kubectl
from dapr_hero.cluster.errors import ClusterError
from dapr_local.install.pins import VERSION

# preStop's `sleep` is on from here; native sidecars are since 1.29.
OLDEST_KUBERNETES = (1, 30)
_RESTRICTED = "dapr_sidecar_injector.sidecarDropALLCapabilities=true"


def check() -> None:
    """Look, and change nothing. Raises: ClusterError, one line that says what is missing and what to do."""
    _check_kubernetes()
    _check_dapr()


def _check_kubernetes() -> None:
    try:
        server = json.loads(kubectl.run("version", "--output=json"))["serverVersion"]
    except ClusterError as error:
        raise ClusterError(
            f"no cluster answers ({error}): set KUBECONFIG, or run `make kind-create`"
        ) from None
    found = _version(server["gitVersion"])[:2]
    if found < OLDEST_KUBERNETES:
        raise ClusterError(
            f"the cluster runs Kubernetes {_text(found)}: {_text(OLDEST_KUBERNETES)} or later is needed"
        )


def _check_dapr() -> None:
    operator = _deployment("dapr-operator")
    if operator is None or kubectl.find("crd", "subscriptions.dapr.io") is None:
        raise ClusterError(
            f"Dapr is not installed in the cluster: run `make dapr-install` for Dapr {VERSION}"
        )
    image, _, _ = _container(operator)["image"].partition("@")
    found = _version(image.rpartition(":")[2])
    if found < _version(VERSION):
        raise ClusterError(f"the cluster runs Dapr {_text(found)}: {VERSION} or later is needed")
    _check_mtls(operator["metadata"]["namespace"])
    _check_injector()


def _check_mtls(namespace: str) -> None:
    system = kubectl.find("configurations.dapr.io", "daprsystem", f"--namespace={namespace}") or {}
    if not system.get("spec", {}).get("mtls", {}).get("enabled"):
        raise ClusterError("Dapr runs without mTLS: install it with --set global.mtls.enabled=true")


def _check_injector() -> None:
    injector = _deployment("dapr-sidecar-injector")
    variables = _container(injector).get("env", []) if injector else []
    if {"name": "SIDECAR_DROP_ALL_CAPABILITIES", "value": "true"} not in variables:
        raise ClusterError(
            "Dapr's sidecars would keep capabilities, which the namespaces refuse (Pod Security restricted): "
            f"install it with --set {_RESTRICTED}"
        )


def _deployment(app: str) -> dict[str, Any] | None:
    found = kubectl.get("deployments", "--all-namespaces", f"--selector=app={app}")["items"]
    return found[0] if found else None


def _container(deployment: dict[str, Any]) -> dict[str, Any]:
    first: dict[str, Any] = deployment["spec"]["template"]["spec"]["containers"][0]
    return first


def _version(text: str) -> tuple[int, ...]:
    """Return the leading numbers: "v1.35.4-gke.1" is (1, 35, 4); without any ("edge", a digest) the check passes."""
    numbers = re.match(r"v?(\d+(?:\.\d+)*)", text)
    return tuple(int(each) for each in numbers[1].split(".")) if numbers else (9999,)


def _text(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
