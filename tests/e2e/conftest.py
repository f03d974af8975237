"""The platform, deployed into the cluster of KUBECONFIG in each of the modes of E2E_MODES."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dapr_hero.cluster import kubectl
from dapr_hero.contract.mode import Mode
from tests.e2e import cluster, evidence
from tests.e2e.cluster import Api

_CHOSEN = os.environ.get("E2E_MODES") or Mode.SDK_HTTP.value
MODES = list(Mode) if _CHOSEN == "all" else [Mode(each) for each in _CHOSEN.split(",")]


@pytest.fixture(scope="session", params=MODES, ids=lambda mode: mode.value)
def mode(request: pytest.FixtureRequest) -> Mode:
    chosen: Mode = request.param
    return chosen


@pytest.fixture(scope="session", autouse=True)
def deployed(mode: Mode) -> None:
    """By the command that the README shows, over what the mode before has left."""
    hero = Path(sys.executable).with_name("dapr-hero")
    subprocess.run([hero, "k8s", "deploy", "--mode", mode.value], check=True, timeout=400)


@pytest.fixture(scope="session", autouse=True)
def visitor(deployed: None) -> Iterator[None]:
    """An app that products does not know; with inventory's image, so that it has a Python."""
    manifest = (Path(__file__).parent / "visitor.yaml").read_text()
    container = cluster.pods_of("inventory", cluster.INVENTORY)[0]["spec"]["containers"][0]
    password = cluster.secret(cluster.INVENTORY, "valkey")
    namespace, *others = manifest.split("---\n")
    kubectl.apply_text(namespace)
    metadata = {"name": "valkey", "namespace": cluster.VISITOR}
    kubectl.apply({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": password})
    kubectl.apply_text(
        "---\n".join(others).replace("image: dapr-hero-inventory", f"image: {container['image']}")
    )
    cluster.settled("visitor", cluster.VISITOR)
    yield
    kubectl.run("delete", "namespace", cluster.VISITOR, "--wait=true", timeout=180)


@pytest.fixture
def rest() -> Iterator[Api]:
    """Inventory's REST API through its Service."""
    with cluster.api() as api:
        yield api


def pytest_sessionfinish(session: pytest.Session) -> None:
    """After a failure, keep the logs of all pods next to the report."""
    if session.testsfailed:
        evidence.collect(Path("build/e2e"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """A line for each mode: what came of it, and how long it took, with its deployment."""
    every = [
        each
        for group in terminalreporter.stats.values()
        for each in group
        if isinstance(each, pytest.TestReport)
    ]
    for mode in MODES:
        reports = [each for each in every if f"[{mode.value}" in each.nodeid]
        failed = sum(each.failed for each in reports)
        passed = sum(each.passed and each.when == "call" for each in reports)
        seconds = sum(each.duration for each in reports)
        terminalreporter.write_line(f"{mode.value}: {passed} passed, {failed} failed, {seconds:.0f} s")
