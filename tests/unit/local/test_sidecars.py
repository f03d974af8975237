"""The sidecars of the two services, with the resources and tokens of the settings."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dapr_hero.contract.mode import Mode
from dapr_hero.local import sidecars
from dapr_hero.local.credentials import Passwords
from dapr_hero.local.data import open_data_dir
from dapr_hero.local.resources import Registration
from dapr_hero.settings import Settings
from dapr_local.data import DataDir
from dapr_local.parts import daprd

BINARY = Path("daprd")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        data_dir=tmp_path / "data",
        sentry_port=50006,
        log_level="WARNING",
        dapr_api_token="for-daprd",
        app_api_token="for-the-app",
    )


@pytest.fixture
def data(settings: Settings) -> Iterator[DataDir]:
    data = open_data_dir(settings)
    yield data
    data.close()


def test_the_mesh_is_that_of_the_settings(settings: Settings, data: DataDir) -> None:
    mesh = sidecars.mesh(settings, data, BINARY)

    assert (mesh.api_token, mesh.app_token) == ("for-daprd", "for-the-app")
    assert (mesh.sentry_port, mesh.log_level) == (50006, "warn")
    assert sidecars.mesh(settings, data, BINARY, mtls=False).sentry_port is None


@pytest.mark.parametrize("registration", Registration)
def test_one_registration_of_the_topic_is_in_force(
    settings: Settings, data: DataDir, registration: Registration, tmp_path: Path
) -> None:
    mesh = sidecars.mesh(settings, data, BINARY, registration)

    files = mesh.write_files("inventory", tmp_path / "files")

    declared = (files.resources / "subscription.yaml").exists()
    assert (declared, mesh.apps_subscribe) == (
        (True, False) if registration is Registration.DECLARATIVE else (False, True)
    )


async def test_no_password_is_for_everybody_to_see(settings: Settings, data: DataDir) -> None:
    mesh = sidecars.mesh(settings, data, BINARY, mtls=False)
    sidecar = sidecars.of_inventory(settings)
    process = await daprd.part("inventory-daprd", sidecar, mesh, frozenset(), with_app=True).launch()

    passwords = Passwords.of(data)
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
    sidecar = sidecars.of_inventory(Settings(dapr_mode=mode))

    assert (sidecar.app_port, sidecar.app_protocol) == (port, protocol)
