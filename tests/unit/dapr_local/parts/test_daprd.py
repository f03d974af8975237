from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from dapr_local.data import DataDir
from dapr_local.parts import daprd
from dapr_local.parts.daprd import Daprd, Files, Mesh
from dapr_local.supervise.process import Process
from tests.unit.dapr_local.program import PROGRAM

SIDECAR = Daprd("app", "namespace", 3501, 50002, 50004, 9091, app_port=50151, app_protocol="grpc")


def write_files(config: str, target: Path) -> Files:
    files = Files(target / "configuration.yaml", target / "resources")
    files.resources.mkdir(parents=True)
    files.configuration.write_text(f"kind: Configuration # of {config}")
    return files


@pytest.fixture
def mesh(tmp_path: Path) -> Iterator[Mesh]:
    """A mesh whose Sentry has already written its certificate."""
    data = DataDir.open(tmp_path / "data", PROGRAM)
    (data.run / "credentials").mkdir()
    (data.run / "credentials" / "ca.crt").write_text("a certificate")
    yield Mesh(tmp_path / "daprd", data, write_files, sentry_port=50006, log_level="warn")
    data.close()


async def launched(mesh: Mesh, sidecar: Daprd = SIDECAR) -> Process:
    return await daprd.part("app-daprd", sidecar, mesh, frozenset(), with_app=True).launch()


def flags(process: Process) -> dict[str, str]:
    pairs = [str(argument).removeprefix("--").partition("=") for argument in process.argv[1:]]
    return {key: value for key, _, value in pairs}


def says(process: Process, expected: dict[str, str]) -> None:
    assert flags(process).items() >= expected.items()


async def test_it_listens_where_it_is_told_and_on_loopback_only(mesh: Mesh) -> None:
    process = await launched(mesh)

    assert process.argv[0] == mesh.binary
    says(
        process,
        {
            "app-id": "app",
            "app-port": "50151",
            "app-protocol": "grpc",
            "dapr-http-port": "3501",
            "dapr-grpc-port": "50002",
            "dapr-internal-grpc-port": "50004",
            "metrics-port": "9091",
            "dapr-listen-addresses": "127.0.0.1",
            "dapr-internal-grpc-listen-address": "127.0.0.1",
            "metrics-listen-address": "127.0.0.1",
            "log-level": "warn",
        },
    )


async def test_it_belongs_to_the_mesh(mesh: Mesh) -> None:
    process = await launched(mesh)

    says(
        process,
        {
            "enable-mtls": "",
            "sentry-address": "127.0.0.1:50006",
            "control-plane-trust-domain": "public",
            "control-plane-namespace": "default",
        },
    )
    assert process.env is not None
    assert process.env["DAPR_TRUST_ANCHORS"] == "a certificate"
    assert process.env["NAMESPACE"] == "namespace"
    assert process.env["DAPR_HOST_IP"] == "127.0.0.1"


async def test_without_sentry_there_is_no_mtls(mesh: Mesh) -> None:
    process = await launched(replace(mesh, sentry_port=None))

    assert not {"enable-mtls", "sentry-address"} & flags(process).keys()
    assert process.env is not None
    assert "DAPR_TRUST_ANCHORS" not in process.env


@pytest.mark.parametrize("asked", [True, False])
async def test_the_app_is_asked_for_its_subscriptions_or_not(mesh: Mesh, asked: bool) -> None:
    process = await launched(replace(mesh, apps_subscribe=asked))

    assert (flags(process).get("disable-init-endpoints") != "subscribe") is asked


async def test_it_has_its_resources_and_its_configuration(mesh: Mesh) -> None:
    process = await launched(mesh, replace(SIDECAR, config="products"))

    target = mesh.data.run / "app-daprd"
    # A comma in the data directory's name would end an absolute path.
    assert process.folder == target
    assert (flags(process)["config"], flags(process)["resources-path"]) == ("configuration.yaml", "resources")
    assert (target / "configuration.yaml").read_text() == "kind: Configuration # of products"


async def test_an_app_that_only_calls_has_no_port(mesh: Mesh) -> None:
    process = await launched(mesh, replace(SIDECAR, app_port=None))

    assert not {"app-port", "app-protocol"} & flags(process).keys()


async def test_its_tokens_are_in_its_environment_alone(mesh: Mesh) -> None:
    process = await launched(replace(mesh, api_token="for-daprd", app_token="for-the-app"))

    assert process.env is not None
    assert process.env["DAPR_API_TOKEN"] == "for-daprd"
    assert process.env["APP_API_TOKEN"] == "for-the-app"
    files = [path.read_text() for path in mesh.data.run.rglob("*.yaml")]
    for token in ("for-daprd", "for-the-app"):
        assert token not in " ".join([*map(str, process.argv), *files])


async def test_it_never_asks_the_app_for_its_health(mesh: Mesh) -> None:
    """daprd 1.18 would never again deliver in bulk after a failed check: ADR 11."""
    process = await launched(mesh)
    assert not [flag for flag in flags(process) if flag.startswith(("enable-app-health", "app-health"))]
