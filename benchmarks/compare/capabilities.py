"""What each mode is and can do, found by loading it and by sending events to it, never typed in.

What the SDK offers is tried on its extensions alone, used as its documents say, without what our modes add.
"""

import asyncio
import json
import logging
import sys
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import aiohttp
import grpc.aio
from dapr.ext.fastapi import DaprApp
from dapr.ext.grpc import App, SubscriptionMessage
from dapr.proto import appcallback_service_v1, appcallback_v1
from fastapi import FastAPI
from google.protobuf.empty_pb2 import Empty

from benchmarks.compare.results import Capabilities
from benchmarks.compare.workloads import encoded
from dapr_hero import modes
from dapr_hero.contract.events import STORED, CloudEvent, Outcome
from dapr_hero.contract.kinds import KINDS
from dapr_hero.contract.mode import Mode
from dapr_hero.contract.routing import subscriptions
from dapr_hero.local.ports import on_free_ports
from dapr_hero.modes.shared.sdk_grpc_server import SdkGrpcServer
from dapr_hero.service.servers import HttpServer
from dapr_hero.settings import Settings
from dapr_hero.sidecar import interface

Handle = Callable[[], Awaitable[None]]
_TOKEN = "a-token"  # noqa: S105
_TOPIC = "tried"
_YES, _NO = "yes", "no"

# Runs in a separate interpreter; prints the modules that a mode loads in addition to those of inventory.
_LOADING = """
import json, sys
import dapr_hero.inventory.app
before = {{name.partition(".")[0] for name in sys.modules}}
import dapr_hero.modes.{}
own = [name for name in sys.modules if name.startswith("dapr_hero.modes.")]
packages = {{name.partition(".")[0] for name in sys.modules}} - before
print(json.dumps([own, sorted(packages)]))
"""


async def capabilities(mode: Mode) -> Capabilities:
    """Return the capabilities of a mode, found by experiment."""
    modes.load(mode)
    modules, packages = await _loaded(mode)
    sources = [sys.modules[name].__file__ for name in modules]
    owners = packages_distributions()
    return Capabilities(
        sum(_lines(Path(source)) for source in sources if source),
        sorted({owner for name in packages for owner in owners.get(name, [])}),
        await _abilities(mode),
    )


async def _loaded(mode: Mode) -> tuple[list[str], list[str]]:
    """Return the modules of `modes` that a mode loads, and the third-party packages that only it loads."""
    program = _LOADING.format(mode.name.lower())
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    modules, packages = json.loads(output)
    return modules, packages


def _lines(source: Path) -> int:
    """Return the number of lines that are neither blank nor comments."""
    lines = (line.strip() for line in source.read_text().splitlines())
    return sum(1 for line in lines if line and not line.startswith("#"))


async def _abilities(mode: Mode) -> dict[str, str]:
    registered = await _registration(mode)
    return {
        "routing by type, said in code": _word(any(len(each["rules"]) > 1 for each in registered)),
        "bulk, said in code": _word(any(each["bulk"] for each in registered)),
        "dead-letter topic, said in code": _word(any(each["dead"] for each in registered)),
        "awaits asynchronous handlers": _word(await _awaits(mode)),
        "rejects callers without a token": _word(await _refuses(mode)),
        "an exception of the handler becomes": await _exception(mode),
    }


def _word(able: bool) -> str:
    return _YES if able else _NO


async def _registration(mode: Mode) -> list[dict[str, Any]]:
    """Return the subscriptions that the mode reports to Dapr."""
    settings = on_free_ports(dapr_mode=mode)

    async def succeed(_: str, batch: Sequence[CloudEvent]) -> list[Outcome]:
        return [STORED] * len(batch)

    listener = await modes.load(mode).listen(settings, subscriptions(settings.topics), succeed)
    try:
        return await (_asked_by_http if mode.protocol == "http" else _asked_by_grpc)(settings)
    finally:
        await listener.stop()


async def _asked_by_http(settings: Settings) -> list[dict[str, Any]]:
    url = f"http://127.0.0.1:{settings.callback_port}/dapr/subscribe"
    async with aiohttp.ClientSession() as http, http.get(url) as answer:
        return [
            {
                "rules": each.get("routes", {}).get("rules") or [],
                "bulk": each.get("bulkSubscribe", {}).get("enabled", False),
                "dead": each.get("deadLetterTopic"),
            }
            for each in await answer.json()
        ]


async def _asked_by_grpc(settings: Settings) -> list[dict[str, Any]]:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{settings.callback_port}") as channel:
        stub = appcallback_service_v1.AppCallbackStub(channel)
        answer = await stub.ListTopicSubscriptions(Empty())
    return [
        {"rules": each.routes.rules, "bulk": each.bulk_subscribe.enabled, "dead": each.dead_letter_topic}
        for each in answer.subscriptions
    ]


async def _awaits(mode: Mode) -> bool:
    ran = False

    async def handle() -> None:
        nonlocal ran
        await asyncio.sleep(0)
        ran = True

    async with _bare(mode, handle) as settings:
        await _send(settings, _TOKEN)
    return ran


async def _refuses(mode: Mode) -> bool:
    async def handle() -> None: ...

    async with _bare(mode, handle) as settings:
        return await _send(settings, "") in ("401", "UNAUTHENTICATED")


async def _exception(mode: Mode) -> str:
    async def handle() -> None:
        raise RuntimeError("tried on purpose")

    async with _bare(mode, handle) as settings:
        answer = await _send(settings, _TOKEN)
    return "success: the event is gone" if answer in ("200", "SUCCESS") else f"{answer}, so Dapr retries"


@asynccontextmanager
async def _bare(mode: Mode, handle: Handle) -> AsyncIterator[Settings]:
    """Run the mode without our additions to the SDK, with an asynchronous handler, until the block ends."""
    settings = on_free_ports(dapr_mode=mode, app_api_token=_TOKEN, pubsub_topic=_TOPIC)
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


async def _send(settings: Settings, token: str) -> str:
    """Deliver one event as daprd does; the HTTP status, or gRPC's code or the status in its answer."""
    headers = {"dapr-api-token": token} if token else {}
    with warnings.catch_warnings(), _no_logs():
        warnings.simplefilter("ignore")  # of coroutines that nobody awaits: that is what is tried
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
