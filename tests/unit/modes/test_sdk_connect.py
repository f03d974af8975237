"""The constructors of the SDK wait for the sidecar once more: they must not stop the event loop."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from dapr_hero import modes
from dapr_hero.contract.errors import Unavailable
from dapr_hero.contract.mode import Mode
from dapr_hero.local.chosen_ports import on_free_ports
from dapr_hero.settings import Settings

each_mode = pytest.mark.parametrize("mode", [Mode.SDK_HTTP, Mode.SDK_GRPC])


class Sidecar:
    """Is healthy once, then answers nothing: it stalls while the constructor asks."""

    def __init__(self) -> None:
        self.asked_again = asyncio.Event()
        self.ended = asyncio.Event()
        self._asked = False

    async def health(self, _: web.Request) -> web.Response:
        if self._asked:
            self.asked_again.set()
            await self.ended.wait()
        self._asked = True
        return web.Response(status=204)


@pytest.fixture
def settings() -> Settings:
    return on_free_ports(request_timeout_seconds=0.5)


@pytest.fixture
async def sidecar(settings: Settings) -> AsyncIterator[Sidecar]:
    sidecar = Sidecar()
    app = web.Application()
    app.router.add_get("/v1.0/healthz/outbound", sidecar.health)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", settings.dapr_http_port).start()
    yield sidecar
    sidecar.ended.set()
    await runner.cleanup()


@each_mode
async def test_the_event_loop_runs_while_the_constructor_waits(
    mode: Mode, settings: Settings, sidecar: Sidecar
) -> None:
    """The sidecar of this test is on the same loop, so it would never be asked again."""
    connecting = asyncio.create_task(modes.load(mode).connect(settings))
    async with asyncio.timeout(30):
        await sidecar.asked_again.wait()
    assert not connecting.done()
    connecting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await connecting


@each_mode
async def test_a_sidecar_that_stalls_is_unavailable(mode: Mode, settings: Settings, sidecar: Sidecar) -> None:
    with pytest.raises(Unavailable):
        await modes.load(mode).connect(settings)
    assert sidecar.asked_again.is_set()
