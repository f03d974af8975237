from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from dapr_hero.contract.mode import Mode
from dapr_hero.local import daprd
from dapr_hero.local.credentials import Passwords
from dapr_hero.local.daprd import Mesh, Sidecar
from dapr_hero.local.data import DataDir
from dapr_hero.local.resources import Subscription
from dapr_hero.settings import Settings
from dapr_local.supervise.process import Process

SIDECAR = Sidecar("app", "namespace", 3501, 50002, 50004, 9091, app_port=50151, app_protocol="grpc")


@pytest.fixture
def mesh(tmp_path: Path) -> Iterator[Mesh]:
    """A mesh whose Sentry has already written its certificate."""
    settings = Settings(data_dir=tmp_path / "data", sentry_port=50006, log_level="WARNING")
    data = DataDir.open(settings)
    (data.run / "credentials").mkdir()
    (data.run / "credentials" / "ca.crt").write_text("a certificate")
    yield Mesh(settings, data, tmp_path / "daprd")
    data.close()


async def launched(mesh: Mesh, sidecar: Sidecar = SIDECAR) -> Process:
    return await daprd.part("app-daprd", sidecar, mesh, {}, frozenset(), with_app=True).launch()


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
    process = await launched(replace(mesh, mtls=False))

    assert not {"enable-mtls", "sentry-address"} & flags(process).keys()
    assert process.env is not None
    assert "DAPR_TRUST_ANCHORS" not in process.env


@pytest.mark.parametrize("subscription", Subscription)
async def test_one_registration_of_the_topic_is_in_force(mesh: Mesh, subscription: Subscription) -> None:
    process = await launched(replace(mesh, subscription=subscription))

    folder = mesh.data.run / "app-daprd" / flags(process)["resources-path"]
    declared = (folder / "subscription.yaml").exists()
    app_is_asked = flags(process).get("disable-init-endpoints") != "subscribe"
    assert (declared, app_is_asked) == (
        (True, False) if subscription is Subscription.DECLARATIVE else (False, True)
    )


async def test_it_has_its_resources_and_its_configuration(mesh: Mesh) -> None:
    process = await launched(mesh, replace(SIDECAR, config="products"))

    target = mesh.data.run / "app-daprd"
    # A comma in the data directory's name would end an absolute path.
    assert process.folder == target
    assert (flags(process)["config"], flags(process)["resources-path"]) == ("configuration.yaml", "resources")
    assert "accessControl" in (target / "configuration.yaml").read_text()
    assert (target / "resources" / "statestore.yaml").exists()


async def test_an_app_that_only_calls_has_no_port(mesh: Mesh) -> None:
    process = await launched(mesh, replace(SIDECAR, app_port=None))

    assert not {"app-port", "app-protocol"} & flags(process).keys()


async def test_its_tokens_are_in_its_environment_alone(mesh: Mesh) -> None:
    tokens = {"dapr_api_token": "for-daprd", "app_api_token": "for-the-app"}
    process = await launched(replace(mesh, settings=mesh.settings.model_copy(update=tokens)))

    assert process.env is not None
    assert process.env["DAPR_API_TOKEN"] == "for-daprd"
    assert process.env["APP_API_TOKEN"] == "for-the-app"
    files = [path.read_text() for path in mesh.data.run.rglob("*.yaml")]
    for token in tokens.values():
        assert token not in " ".join([*map(str, process.argv), *files])


async def test_no_password_is_for_everybody_to_see(mesh: Mesh) -> None:
    process = await launched(mesh)
    passwords = Passwords.of(mesh.data)

    assert process.env is not None
    seen = " ".join([*map(str, process.argv), *process.env.values()])
    for password in (passwords.valkey, passwords.postgres_inventory, passwords.postgres_superuser):
        assert password not in seen


@pytest.mark.parametrize(
    ("mode", "port", "protocol"),
    [
        (Mode.SDK_HTTP, 3002, "http"),
        (Mode.SDK_GRPC, 4002, "grpc"),
        (Mode.CUSTOM_HTTP, 3001, "http"),
        (Mode.CUSTOM_GRPC, 4001, "grpc"),
    ],
)
def test_the_sidecar_of_inventory_calls_the_chosen_mode(mode: Mode, port: int, protocol: str) -> None:
    sidecar = daprd.of_inventory(Settings(dapr_mode=mode))

    assert (sidecar.app_port, sidecar.app_protocol) == (port, protocol)


async def test_it_never_asks_the_app_for_its_health(mesh: Mesh) -> None:
    """daprd 1.18 would never again deliver in bulk after a failed check: ADR 11."""
    process = await launched(mesh, daprd.of_inventory(mesh.settings))
    assert not [flag for flag in flags(process) if flag.startswith(("enable-app-health", "app-health"))]
