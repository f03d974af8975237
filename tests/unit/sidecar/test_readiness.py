"""The checks of daprd's readiness, against a server that answers as configured."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from dapr_hero.contract.errors import Unavailable
from dapr_hero.local.chosen_ports import on_free_ports
from dapr_hero.settings import Settings
from dapr_hero.sidecar import readiness


class Daprd:
    """Answers its health checks with these statuses, the last one for ever."""

    def __init__(self) -> None:
        self.statuses = [204]
        self.tokens: list[str | None] = []

    async def health(self, request: web.Request) -> web.Response:
        self.tokens.append(request.headers.get("dapr-api-token"))
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        return web.Response(status=status)


@pytest.fixture
def settings() -> Settings:
    return on_free_ports(dapr_api_token="secret", sidecar_timeout_seconds=0.2)


@pytest.fixture
async def daprd(settings: Settings) -> AsyncIterator[Daprd]:
    daprd = Daprd()
    app = web.Application()
    app.router.add_get("/v1.0/healthz/outbound", daprd.health)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", settings.dapr_http_port).start()
    yield daprd
    await runner.cleanup()


async def test_a_healthy_sidecar_is_ready_and_gets_the_token(settings: Settings, daprd: Daprd) -> None:
    await readiness.check_sidecar(settings)
    assert daprd.tokens == ["secret"]


@pytest.mark.parametrize("status", [200, 401, 500])
async def test_any_other_status_is_not_ready(settings: Settings, daprd: Daprd, status: int) -> None:
    daprd.statuses = [status]
    with pytest.raises(Unavailable, match="daprd"):
        await readiness.check_sidecar(settings)


async def test_the_wait_ends_when_the_sidecar_is_ready(settings: Settings, daprd: Daprd) -> None:
    daprd.statuses = [500, 500, 204]
    await readiness.wait_for_sidecar(settings.model_copy(update={"sidecar_timeout_seconds": 30.0}))
    assert len(daprd.tokens) == 3


async def test_the_wait_gives_up_after_the_timeout(settings: Settings) -> None:
    with pytest.raises(Unavailable, match="daprd"):
        await readiness.wait_for_sidecar(settings)
