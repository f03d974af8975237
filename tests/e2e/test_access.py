"""Access control: callers and calls that are rejected."""

import json
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from dapr_hero.cluster import kubectl
from dapr_hero.cluster.errors import ClusterError
from tests.e2e import cluster

NAMESPACES = (cluster.INFRASTRUCTURE, cluster.INVENTORY, cluster.PRODUCTS)
SERVICES = (("inventory", cluster.INVENTORY), ("products", cluster.PRODUCTS))
_INSIDE = """
import json, os, pathlib, socket
def writable(path):
    try:
        pathlib.Path(path, "probe").write_text("")
    except OSError:
        return False
    return True
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(json.dumps({
    "uid": os.getuid(),
    "no new privileges": status["NoNewPrivs"].strip() == "1",
    "capabilities": int(status["CapEff"], 16),
    "seccomp": status["Seccomp"].strip() == "2",
    "writable": [path for path in ("/", "/usr", "/etc", "/home", "/var") if writable(path)],
    "token": os.path.exists("/var/run/secrets/kubernetes.io/serviceaccount/token"),
}))
"""


@pytest.fixture(scope="module")
def answers(deployed: None, visitor: None) -> dict[str, Any]:
    """Return the results of a stranger's attempts, made once for several tests."""
    address = cluster.pods_of("products", cluster.PRODUCTS)[0]["status"]["podIP"]
    found: dict[str, Any] = cluster.as_visitor((Path(__file__).parent / "intrusion.py").read_text(), address)
    return found


def test_an_app_of_a_third_namespace_cannot_call_products(answers: dict[str, Any]) -> None:
    code, details = answers["grpc"]
    assert (code, "spiffe://public/ns/dapr-hero-visitor/visitor" in details) == ("PERMISSION_DENIED", True)
    status, body = answers["http"]
    assert (status, "access control policy has denied access" in body) == (403, True)


def test_the_sidecar_takes_no_plain_text_from_another_pod(answers: dict[str, Any]) -> None:
    assert answers["reachable"]["50002"], "else the refusals below prove nothing"
    assert answers["plain text"][0] == "UNAVAILABLE"
    # At most an alert of TLS (0x15), never a frame of HTTP/2.
    assert answers["plain bytes"] in ("", "ConnectionResetError") or answers["plain bytes"].startswith("15")


def test_the_sidecar_takes_nobody_without_a_certificate(answers: dict[str, Any]) -> None:
    assert answers["tls without a certificate"].startswith("refused")


def test_only_the_sidecars_mtls_port_and_the_health_are_open(answers: dict[str, Any]) -> None:
    assert answers["reachable"] == {
        "3004": True,
        "3500": False,
        "50001": False,
        "50002": True,
        "50151": False,
    }


def test_inventory_reads_one_secret_and_no_other() -> None:
    account = f"--as=system:serviceaccount:{cluster.INVENTORY}:inventory"

    def may(verb: str, what: str, namespace: str = cluster.INVENTORY) -> bool:
        try:
            return (
                kubectl.run("auth", "can-i", verb, what, f"--namespace={namespace}", account).strip() == "yes"
            )
        except ClusterError:  # kubectl says no by its exit code, too
            return False

    assert may("get", "secrets/postgres")
    assert not any(may("get", f"secrets/{name}") for name in ("valkey", "dapr-api-token", "app-api-token"))
    assert not any(may(verb, "secrets") for verb in ("list", "watch", "create", "delete", "update", "patch"))
    assert not any(
        may("get", "secrets/postgres", other) for other in (cluster.INFRASTRUCTURE, cluster.PRODUCTS)
    )
    assert not may("list", "pods")


def test_the_secret_store_of_dapr_hands_out_one_secret_and_no_other() -> None:
    token = cluster.secret(cluster.INVENTORY, "dapr-api-token")["token"]
    with cluster.forwarded(cluster.INVENTORY, "deployment/inventory", 3500) as port:

        def status(path: str) -> int:
            url = f"http://127.0.0.1:{port}/v1.0/secrets/{path}"
            return httpx.get(url, headers={"dapr-api-token": token}, timeout=15).status_code

        assert status("secretstore/postgres") == 200
        assert status("secretstore/valkey") == 403
        # The one that Dapr adds by itself, which would ask with more rights, is not there.
        assert status("kubernetes/valkey") in (401, 403, 404, 500)


@pytest.fixture(params=NAMESPACES)
def namespace(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    return chosen


@pytest.mark.parametrize(
    "asked",
    [
        {"allowPrivilegeEscalation": True},
        {"privileged": True, "allowPrivilegeEscalation": True},  # one without the other is no valid pod
        {"runAsUser": 0, "runAsNonRoot": False},
        {"capabilities": {"add": ["NET_ADMIN"]}},
    ],
    ids=lambda asked: next(iter(asked)),
)
def test_a_pod_that_wants_privileges_is_refused(namespace: str, asked: dict[str, Any]) -> None:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "greedy", "namespace": namespace},
        "spec": {"containers": [{"name": "greedy", "image": "any", "securityContext": _strict() | asked}]},
    }
    with pytest.raises(ClusterError, match='violates PodSecurity "restricted'):
        kubectl.run("create", "--dry-run=server", "--filename=-", given=_json(pod))
    pod["spec"] = {"containers": [{"name": "modest", "image": "any", "securityContext": _strict()}]}
    kubectl.run("create", "--dry-run=server", "--filename=-", given=_json(pod))


def _strict() -> dict[str, Any]:
    return {
        "allowPrivilegeEscalation": False,
        "runAsNonRoot": True,
        "runAsUser": 1000,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def _json(resource: dict[str, Any]) -> str:
    return json.dumps(resource)


@pytest.mark.parametrize(("app", "its"), SERVICES)
def test_a_service_has_nothing_that_it_does_not_need(app: str, its: str) -> None:
    found = json.loads(cluster.execute(its, f"deployment/{app}", app, _INSIDE))
    assert found == {
        "uid": 65532,
        "no new privileges": True,
        "capabilities": 0,
        "seccomp": True,
        "writable": [],
        "token": False,
    }
