"""Listeners of each mode without our additions to the SDK, and single events for them.

They use the SDK's extensions as its documents say.
"""

import logging
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager

import aiohttp
import grpc.aio
from dapr.ext.fastapi import DaprApp
from dapr.ext.grpc import App, SubscriptionMessage
from dapr.proto import appcallback_service_v1, appcallback_v1
from fastapi import FastAPI

from benchmarks.compare.workloads import encoded
from dapr_hero import modes
from dapr_hero.contract.events import STORED, CloudEvent, Outcome
from dapr_hero.contract.kinds import KINDS
from dapr_hero.contract.mode import Mode
from dapr_hero.contract.routing import subscriptions
from dapr_hero.local.chosen_ports import on_free_ports
from dapr_hero.modes.shared.sdk_grpc_server import SdkGrpcServer
from dapr_hero.service.servers import HttpServer
from dapr_hero.settings import Settings
from dapr_hero.sidecar import interface

Handle = Callable[[], Awaitable[None]]
TOKEN = "a-token"  # noqa: S105
_TOPIC = "tried"


@asynccontextmanager
async def bare(mode: Mode, handle: Handle) -> AsyncIterator[Settings]:
    """Run the mode without our additions to the SDK, with an asynchronous handler, until the block ends."""
    settings = on_free_ports(dapr_mode=mode, app_api_token=TOKEN, pubsub_topic=_TOPIC)
    listener = await _BARE.get(mode, _our_own)(settings, handle)
    try:
        yield settings
    finally:
        await listener.stop()


async def _bare_sdk_http(settings: Settings, handle: Handle) -> interface.Listener:
    api = FastAPI()

    async def handler() -> None:
        await handle()

    DaprApp(api).subscribe(settings.pubsub_name, _TOPIC, route=f"/{_TOPIC}")(handler)
    return await HttpServer.start(api, "127.0.0.1", settings.callback_port)


async def _bare_sdk_grpc(settings: Settings, handle: Handle) -> interface.Listener:
    app = App()

    async def handler(_: SubscriptionMessage) -> None:
        await handle()

    app.subscribe(settings.pubsub_name, _TOPIC)(handler)
    server = SdkGrpcServer(app, settings.callback_port)
    await server.start()
    return server


async def _our_own(settings: Settings, handle: Handle) -> interface.Listener:
    async def deliver(_: str, batch: Sequence[CloudEvent]) -> list[Outcome]:
        await handle()
        return [STORED] * len(batch)

    [first, *_] = subscriptions(settings.topics)
    plain = first._replace(rules=(), default_path=f"/{_TOPIC}", bulk=None)
    return await modes.load(settings.dapr_mode).listen(settings, [plain], deliver)


_BARE = {Mode.SDK_HTTP: _bare_sdk_http, Mode.SDK_GRPC: _bare_sdk_grpc}


async def send(settings: Settings, token: str) -> str:
    """Deliver one event as daprd does; the HTTP status, or gRPC's code or the status in its answer."""
    headers = {"dapr-api-token": token} if token else {}
    with warnings.catch_warnings(), _no_logs():
        warnings.simplefilter("ignore")  # about coroutines that are never awaited: this tries exactly that
        return await (_post if settings.dapr_mode.protocol == "http" else _call)(settings, headers)


@contextmanager
def _no_logs() -> Iterator[None]:
    """Silence the log of calls that fail on purpose."""
    logging.disable()
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


async def _post(settings: Settings, headers: dict[str, str]) -> str:
    url = f"http://127.0.0.1:{settings.callback_port}/{_TOPIC}"
    content_type = {"content-type": "application/cloudevents+json"}
    body = encoded(KINDS[0], "tried")
    async with (
        aiohttp.ClientSession(headers=headers | content_type) as http,
        http.post(url, data=body) as answer,
    ):
        return str(answer.status)


async def _call(settings: Settings, headers: dict[str, str]) -> str:
    event = appcallback_v1.TopicEventRequest(
        id="tried",
        source="dapr-hero-compare",
        type=KINDS[0].type,
        spec_version="1.0",
        data_content_type="application/json",
        data=b"{}",
        topic=_TOPIC,
        pubsub_name=settings.pubsub_name,
        path=f"/{_TOPIC}" if settings.dapr_mode is Mode.CUSTOM_GRPC else "",
    )
    async with grpc.aio.insecure_channel(f"127.0.0.1:{settings.callback_port}") as channel:
        stub = appcallback_service_v1.AppCallbackStub(channel)
        try:
            answer = await stub.OnTopicEvent(event, metadata=tuple(headers.items()))
        except grpc.aio.AioRpcError as error:
            return error.code().name
        return str(appcallback_v1.TopicEventResponse.TopicEventResponseStatus.Name(answer.status))
