import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web

from dapr_hero.local import services
from dapr_hero.local.chosen_ports import on_free_ports
from dapr_hero.local.data import open_data_dir
from dapr_hero.service.drain import STOP_TIMEOUT_SECONDS
from dapr_hero.settings import Settings
from dapr_local.data import DataDir
from dapr_local.ports import free_ports


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return on_free_ports(data_dir=tmp_path / "data", dapr_mode="custom-grpc", inventory_host="0.0.0.0")  # noqa: S104


@pytest.fixture
def data(settings: Settings) -> Iterator[DataDir]:
    data = open_data_dir(settings)
    yield data
    data.close()


async def test_inventory_gets_the_settings_as_they_are(settings: Settings, data: DataDir) -> None:
    part = services.inventory(settings, data, frozenset(), whole=True)

    process = await part.launch()

    assert process.argv == [sys.executable, "-P", "-m", "dapr_hero.inventory"]
    assert process.env is not None
    assert process.env.items() >= settings.environment().items()


async def test_products_talks_to_its_own_sidecar(settings: Settings, data: DataDir) -> None:
    part = services.products(settings, data, frozenset())

    process = await part.launch()

    assert process.argv == [sys.executable, "-P", "-m", "dapr_hero.products"]
    assert process.env is not None
    assert process.env["DAPR_HTTP_PORT"] == str(settings.products_dapr_http_port)
    assert process.env["DAPR_GRPC_PORT"] == str(settings.products_dapr_grpc_port)
    assert process.env["DAPR_HERO_PRODUCTS_PORT"] == str(settings.products_port)


@pytest.mark.parametrize("whole", [True, False])
async def test_inventory_is_ready_when_it_says_so_if_all_it_needs_is_there(
    settings: Settings, data: DataDir, whole: bool
) -> None:
    """Without one of its dependencies it is enough that it is alive."""

    async def alive(_request: web.Request) -> web.Response:
        return web.Response()

    app = web.Application()
    app.router.add_get("/healthz", alive)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", settings.inventory_port).start()

    assert await services.inventory(settings, data, frozenset(), whole=whole).ready() is not whole

    await runner.cleanup()


@pytest.mark.parametrize("unready_seconds", [0.0, 60.0])
async def test_a_service_is_not_killed_while_it_stops_in_order(
    settings: Settings, data: DataDir, unready_seconds: float
) -> None:
    """It drains, then stops one server after the other: REST, dead letters and events in inventory."""
    chosen = settings.model_copy(update={"unready_seconds": unready_seconds})
    inventory = services.inventory(chosen, data, frozenset(), whole=True)
    products = services.products(chosen, data, frozenset())
    assert inventory.stop_seconds > unready_seconds + 3 * STOP_TIMEOUT_SECONDS
    assert products.stop_seconds > unready_seconds + 2 * STOP_TIMEOUT_SECONDS


@pytest.mark.parametrize(
    ("status", "states", "yes"),
    [(200, ("ok", "ok"), True), (200, ("ok", "unavailable"), False), (503, ("ok", "ok"), False)],
)
async def test_a_service_is_ready_when_all_its_dependencies_are_available(
    status: int, states: tuple[str, ...], yes: bool
) -> None:
    [port] = free_ports(1)

    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"dependencies": dict(enumerate(states))}, status=status)

    app = web.Application()
    app.router.add_get("/readyz", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    assert await services.all_available(f"http://127.0.0.1:{port}/readyz") is yes
    await runner.cleanup()


async def test_a_service_that_cannot_be_reached_is_not_ready() -> None:
    [port] = free_ports(1)
    assert not await services.all_available(f"http://127.0.0.1:{port}/readyz")
