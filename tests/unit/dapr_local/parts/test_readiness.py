from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from aiohttp import web
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import aio as health

from dapr_local.parts import readiness
from dapr_local.ports import free_ports

Status = health_pb2.HealthCheckResponse


@pytest.fixture
def port() -> int:
    return free_ports(1)[0]


@pytest.fixture
async def http_port(port: int) -> AsyncIterator[int]:
    """A server whose paths are the statuses that they answer."""

    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=int(request.match_info["status"]))

    app = web.Application()
    app.router.add_get("/{status}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    yield port
    await runner.cleanup()


@pytest.mark.parametrize(
    ("status", "yes"), [(200, True), (204, True), (404, False), (500, False), (503, False)]
)
async def test_http(http_port: int, status: int, yes: bool) -> None:
    assert await readiness.http(f"http://127.0.0.1:{http_port}/{status}") is yes


async def test_a_server_that_cannot_be_reached_is_not_ready(port: int) -> None:
    assert not await readiness.http(f"http://127.0.0.1:{port}/")
    assert not await readiness.grpc_serving(f"127.0.0.1:{port}")


@pytest.mark.parametrize(("status", "yes"), [(Status.SERVING, True), (Status.NOT_SERVING, False)])
async def test_grpc(port: int, status: Any, yes: bool) -> None:
    server = grpc.aio.server()
    servicer = health.HealthServicer()
    await servicer.set("", status)
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()

    assert await readiness.grpc_serving(f"127.0.0.1:{port}") is yes

    await server.stop(None)


async def test_a_server_without_health_is_not_ready(port: int) -> None:
    server = grpc.aio.server()
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()

    assert not await readiness.grpc_serving(f"127.0.0.1:{port}")

    await server.stop(None)
