"""The SDK's app runs from `start` until `stop`, and what is under way then is finished."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor

import grpc.aio
import pytest
from dapr.ext.grpc import App, InvokeMethodRequest
from dapr.proto import appcallback_service_v1, common_v1

from dapr_hero.modes.shared.sdk_grpc_server import SdkGrpcServer
from dapr_hero.service.servers import PortInUse
from dapr_local.ports import free_ports
from tests.conformance.test_events_in import accepts


@pytest.fixture
def port() -> int:
    return free_ports(1)[0]


@pytest.fixture
def app() -> App:
    app = App(thread_pool=ThreadPoolExecutor(2))
    app.method("greet")(lambda _: b"hello")
    return app


@pytest.fixture
async def stub(port: int) -> AsyncIterator[appcallback_service_v1.AppCallbackStub]:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield appcallback_service_v1.AppCallbackStub(channel)


async def test_a_started_server_answers_until_it_is_stopped(
    app: App, port: int, stub: appcallback_service_v1.AppCallbackStub
) -> None:
    server = SdkGrpcServer(app, port)
    await server.start()
    answer = await stub.OnInvoke(common_v1.InvokeRequest(method="greet"))
    assert answer.data.value == b"hello"
    await server.stop()
    assert not await accepts(port)


async def test_a_taken_port_is_an_error(app: App) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(PortInUse, match=rf"cannot listen on 127\.0\.0\.1:{port}: Address already in use"):
            await SdkGrpcServer(app, port).start()


async def test_an_app_that_cannot_run_ends_the_start(app: App, port: int) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))  # does not listen, so that nothing but the app notices
        with pytest.raises(PortInUse, match=str(port)):
            async with asyncio.timeout(30):
                await SdkGrpcServer(app, port).start()


async def test_a_call_in_progress_is_finished(
    app: App, port: int, stub: appcallback_service_v1.AppCallbackStub
) -> None:
    entered, release = threading.Event(), threading.Event()

    def wait(_: InvokeMethodRequest) -> bytes:
        entered.set()
        release.wait()
        return b"finished"

    app.method("wait")(wait)
    server = SdkGrpcServer(app, port)
    await server.start()
    try:
        call = asyncio.ensure_future(stub.OnInvoke(common_v1.InvokeRequest(method="wait")))
        await asyncio.to_thread(entered.wait)
        stopping = asyncio.create_task(server.stop())
        # Long enough for an end that cuts, which must not be taken for one that waits.
        done, _ = await asyncio.wait([call, stopping], timeout=0.3)
        assert not done
    finally:
        release.set()
    assert (await call).data.value == b"finished"
    await stopping
