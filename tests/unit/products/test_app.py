import asyncio
import gc
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import aiohttp
import grpc.aio
import pytest

from dapr_hero.local.chosen_ports import on_free_ports
from dapr_hero.products import app
from dapr_hero.products.v1 import products_pb2 as pb
from dapr_hero.products.v1.products_pb2_grpc import ProductsStub
from dapr_hero.service import logs
from dapr_hero.settings import Settings
from dapr_local.parts import readiness
from tests.conformance.fake_sidecar import FakeSidecar

if TYPE_CHECKING:
    from dapr_hero.products.v1.products_pb2_grpc import ProductsAsyncStub

NOT_FOUND = 5
ALL_OK = {"products": "ok", "daprd": "ok", "statestore": "ok"}


@pytest.fixture
def unready_seconds() -> float:
    return 0


@pytest.fixture
def settings(unready_seconds: float) -> Settings:
    return on_free_ports(unready_seconds=unready_seconds, sidecar_timeout_seconds=10)


@pytest.fixture
async def products(
    settings: Settings, fake: FakeSidecar, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[asyncio.Task[None]]:
    """The service, as a task that serves; its log stays that of the tests."""
    monkeypatch.setattr(logs, "configure", lambda *_: None)
    gc.unfreeze()
    serving = asyncio.create_task(app.serve(settings))
    async with asyncio.timeout(10):
        while not serving.done() and not await readiness.http(_url(settings, "readyz")):
            await asyncio.sleep(0.01)
    yield serving
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)
    gc.unfreeze()


def _url(settings: Settings, path: str) -> str:
    return f"http://127.0.0.1:{settings.products_http_port}/{path}"


async def _get(settings: Settings, path: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(_url(settings, path)) as response:
        return response.status, await response.text()


async def _dependencies(settings: Settings, status: int) -> dict[str, str]:
    async with aiohttp.ClientSession() as session, session.get(_url(settings, "readyz")) as response:
        body = await response.json()
        assert (response.status, body["ready"]) == (status, status == 200)
        return dict(body["dependencies"])


@pytest.mark.usefixtures("products")
async def test_readiness_names_each_dependency(settings: Settings, fake: FakeSidecar) -> None:
    assert await _dependencies(settings, 200) == ALL_OK
    fake.failing = True
    assert await _dependencies(settings, 200) == ALL_OK | {"statestore": "unavailable"}
    fake.healthy = False
    assert await _dependencies(settings, 503) == ALL_OK | {
        "daprd": "unavailable",
        "statestore": "unavailable",
    }
    assert (await _get(settings, "healthz"))[0] == 200


@pytest.mark.usefixtures("products")
def test_its_imports_are_exempt_from_garbage_collection() -> None:
    assert gc.get_freeze_count() > len(gc.get_objects())


@pytest.mark.usefixtures("products")
async def test_metrics_are_there_and_an_unknown_path_has_its_words(settings: Settings) -> None:
    assert "process_cpu_seconds_total" in (await _get(settings, "metrics"))[1]
    status, body = await _get(settings, "nothing")
    assert (status, '"type":"NOT_FOUND"' in body) == (404, True)


@pytest.mark.parametrize("unready_seconds", [60])
async def test_at_the_end_it_is_not_ready_and_still_serves(
    settings: Settings, products: asyncio.Task[None]
) -> None:
    products.cancel()
    async with asyncio.timeout(10):
        while await readiness.http(_url(settings, "readyz")):
            await asyncio.sleep(0.01)
    assert await _dependencies(settings, 503) == ALL_OK | {"products": "unavailable"}
    assert await _found(settings) == NOT_FOUND
    assert not products.done()


async def _found(settings: Settings) -> int:
    """Return the response of products for a product that does not exist."""
    async with grpc.aio.insecure_channel(f"127.0.0.1:{settings.products_port}") as channel:
        stub: ProductsAsyncStub = ProductsStub(channel)
        answer = await stub.GetProduct(pb.GetProductRequest(id="none"))
        return int(answer.status.code)
