"""The data, the ports and the tokens of a platform, with tiny parts in the place of the real ones."""

import socket
from pathlib import Path

import pytest

from dapr_hero.local import assembly, chosen_ports
from dapr_hero.local.chosen_ports import on_free_ports
from dapr_hero.local.data import open_data_dir
from dapr_hero.local.platform import Platform
from dapr_hero.settings import Settings
from dapr_local.errors import DataError, PartDied, PortTaken
from dapr_local.install.runtime import DaprRuntime
from dapr_local.parts.part import Part
from dapr_local.ports import free_ports
from tests.unit.dapr_local.supervise.workshop import Workshop

RUNTIME = DaprRuntime(Path("daprd"), Path("sentry"))


class PlatformWorkshop(Workshop):
    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(folder)
        self.settings = on_free_ports(data_dir=folder / "data")
        monkeypatch.setattr(assembly, "parts", lambda *_, **__: self.parts)

    def platform(self) -> Platform:
        return Platform(self.settings, RUNTIME, self.report)


@pytest.fixture
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PlatformWorkshop:
    return PlatformWorkshop(tmp_path, monkeypatch)


async def test_the_settings_in_force_have_tokens_of_their_own_by_default(workshop: PlatformWorkshop) -> None:
    workshop.part("store")

    async with workshop.platform() as platform:
        found = platform.settings
        assert all(each.dapr_api_token == found.dapr_api_token for each in platform.inventories)

    assert len({found.dapr_api_token, found.app_api_token, ""}) == 3


async def test_the_data_directory_is_taken_until_the_end(workshop: PlatformWorkshop) -> None:
    workshop.part("store")

    async with workshop.platform():
        with pytest.raises(DataError, match="in use"):
            open_data_dir(workshop.settings)

    open_data_dir(workshop.settings).close()
    assert workshop.nothing_is_left()


async def test_a_start_that_fails_lets_go_of_the_data_directory(workshop: PlatformWorkshop) -> None:
    workshop.part("store", code="raise SystemExit('no')", ready=lambda: False)

    with pytest.raises(PartDied):
        await workshop.platform().__aenter__()

    open_data_dir(workshop.settings).close()


async def test_nothing_is_started_when_a_port_is_taken(workshop: PlatformWorkshop) -> None:
    workshop.part("store", DAPR_HERO_VALKEY_PORT=workshop.settings.valkey_port)

    with (
        socket.create_server(("127.0.0.1", workshop.settings.valkey_port)),
        pytest.raises(PortTaken, match="set DAPR_HERO_VALKEY_PORT or DAPR_HERO_PORT_OFFSET"),
    ):
        await workshop.platform().__aenter__()

    assert workshop.made == {}


async def test_a_chosen_port_that_is_taken_in_the_meantime_is_chosen_again(
    workshop: PlatformWorkshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    workshop.settings = workshop.settings.model_copy(update={"sentry_port": 0})
    with socket.create_server(("127.0.0.1", 0)) as other:
        offered = iter([[other.getsockname()[1]], free_ports(1)])
        monkeypatch.setattr(chosen_ports, "free_ports", lambda *_: next(offered))

        def parts(settings: Settings, *_: object, **__: object) -> dict[str, Part]:
            workshop.part("sentry", DAPR_HERO_SENTRY_PORT=settings.sentry_port)
            return workshop.parts

        monkeypatch.setattr(assembly, "parts", parts)
        async with workshop.platform() as platform:
            assert platform.settings.sentry_port not in (0, other.getsockname()[1])


async def test_the_offset_is_applied(workshop: PlatformWorkshop) -> None:
    shifted = Platform(
        workshop.settings.model_copy(update={"port_offset": 7}), RUNTIME, workshop.report
    ).settings

    assert shifted.valkey_port == workshop.settings.valkey_port + 7
    assert shifted.port_offset == 0
