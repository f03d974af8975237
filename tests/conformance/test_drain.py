"""SIGTERM to a service: what is under way is finished, and nothing more is taken."""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import grpc.aio
import pytest

from dapr_hero.contract.mode import Mode
from dapr_hero.products.v1 import products_pb2 as pb
from dapr_hero.products.v1.products_pb2_grpc import ProductsStub
from dapr_hero.settings import Settings
from tests.conformance.fake_sidecar import Deliverer, FakeSidecar
from tests.conformance.test_events_in import accepts
from tests.events import event

Service = asyncio.subprocess.Process


@pytest.fixture
def gate(fake: FakeSidecar) -> Iterator[threading.Event]:
    """An event that holds up every read of state until it is set, and with it the work that needs one."""
    fake.gate = threading.Event()
    yield fake.gate
    fake.gate.set()


@asynccontextmanager
async def _running(service: str, settings: Settings, port: int) -> AsyncIterator[Service]:
    """Start the service in a separate process; return it once this port answers."""
    hasty = {"unready_seconds": 0.1, "request_timeout_seconds": 30}
    environment = {**os.environ, **settings.model_copy(update=hasty).environment()}
    command = [sys.executable, "-m", f"dapr_hero.{service}"]
    process = await asyncio.create_subprocess_exec(*command, env=environment)
    try:
        async with asyncio.timeout(60):
            while not await accepts(port):
                assert process.returncode is None
                await asyncio.sleep(0.01)
            yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _begin_to_end(service: Service, port: int, under_way: list[asyncio.Task[Any]]) -> None:
    """Send SIGTERM, and return when the port takes no more; by then nothing else has ended."""
    service.send_signal(signal.SIGTERM)
    while await accepts(port):
        await asyncio.sleep(0.01)
    # Long enough for an end that cuts, which must not be taken for one that waits.
    done, _ = await asyncio.wait(under_way, timeout=0.3)
    assert (done, service.returncode) == (set(), None)


async def _waiting(fake: FakeSidecar, count: int) -> None:
    while fake.waiting < count:
        await asyncio.sleep(0.01)


async def test_inventory_finishes_a_delivery(
    settings: Settings, fake: FakeSidecar, gate: threading.Event
) -> None:
    async with _running("inventory", settings, settings.callback_port) as service:
        delivery = asyncio.create_task(Deliverer(settings).bulk("/gadgets.v1", [event("gadget.v1", "g")]))
        await _waiting(fake, 1)
        await _begin_to_end(service, settings.callback_port, [delivery])
        gate.set()
        assert await delivery == ["SUCCESS"]
        assert await service.wait() == 0
    assert fake.states.keys() == {"gadget:g"}


@pytest.mark.parametrize("settings", [Mode.CUSTOM_HTTP], indirect=True)
async def test_inventory_finishes_a_read(
    settings: Settings, fake: FakeSidecar, gate: threading.Event
) -> None:
    async with _running("inventory", settings, settings.callback_port) as service:
        url = f"http://127.0.0.1:{settings.inventory_port}/v1/gadgets/none"
        read = asyncio.create_task(_read(url))
        await _waiting(fake, 1)
        await _begin_to_end(service, settings.inventory_port, [read])
        gate.set()
        assert await read == 404
        assert await service.wait() == 0


async def _read(url: str) -> int:
    async with aiohttp.ClientSession() as http, http.get(url) as answer:
        return answer.status


@pytest.mark.parametrize("settings", [Mode.CUSTOM_GRPC], indirect=True)
async def test_products_finishes_a_call(settings: Settings, fake: FakeSidecar, gate: threading.Event) -> None:
    port = settings.products_port
    product = pb.ProductVersion(product=pb.Product(id="p", description="d", price="1"), version="1")
    async with (
        _running("products", settings, port) as service,
        grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel,
    ):
        stub: Any = ProductsStub(channel)
        call = asyncio.ensure_future(stub.SaveProduct(pb.SaveProductRequest(product=product)))
        await _waiting(fake, 1)
        await _begin_to_end(service, port, [call])
        with pytest.raises(grpc.aio.AioRpcError):
            await stub.GetProduct(pb.GetProductRequest(id="p"))
        gate.set()
        assert (await call).status.code == grpc.StatusCode.OK.value[0]
        assert await service.wait() == 0
    assert fake.states.keys() == {"product:p"}
