"""Mode sdk-http: the SDK's FastAPI extension in, the SDK's HTTP client out.

The SDK's typed client speaks gRPC whatever the app speaks. Over HTTP the SDK offers its transport, the one
beneath service invocation and actors (address, token, retries, errors), and no typed calls above it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import aiohttp
from dapr.clients.exceptions import DaprHttpError
from dapr.clients.http.client import DaprHttpClient
from dapr.clients.http.helpers import get_api_url
from dapr.ext.fastapi import DaprApp
from dapr.serializers import DefaultJSONSerializer
from fastapi import FastAPI, Request, Response

from dapr_hero.contract.errors import Unavailable
from dapr_hero.contract.events import Outcome
from dapr_hero.contract.routing import Subscription, route_for
from dapr_hero.modes.shared import http_delivery as http_events
from dapr_hero.modes.shared import sdk_settings
from dapr_hero.modes.shared.dapr_http_api import Answer, HttpCalls
from dapr_hero.modes.shared.http_delivery import Delivery
from dapr_hero.service import token_guards, tracing
from dapr_hero.service.servers import HttpServer
from dapr_hero.settings import Settings
from dapr_hero.sidecar.interface import Deliver
from dapr_hero.sidecar.readiness import wait_for_sidecar


async def connect(settings: Settings) -> "SdkHttpSidecar":
    """Calls out, once the sidecar can take them. Raises: Unavailable."""
    await wait_for_sidecar(settings)
    sdk_settings.configure(settings)
    # The constructor asks for the sidecar's health once more, and blocks while it does.
    try:
        client = await asyncio.to_thread(
            DaprHttpClient, DefaultJSONSerializer(), headers_callback=tracing.outgoing
        )
    except TimeoutError:
        raise Unavailable("daprd", "it does not answer the SDK's health check") from None
    return SdkHttpSidecar(client, settings)


async def listen(settings: Settings, subscriptions: Sequence[Subscription], deliver: Deliver) -> HttpServer:
    """Events in. Raises: PortInUse."""
    api = FastAPI(openapi_url=None)

    dapr = DaprApp(api)

    def receiver(raw: bool) -> Callable[[Request], Awaitable[Response]]:
        async def receive(request: Request) -> Response:
            delivery = http_events.read(await request.body(), _content_type(request), raw=raw)
            return answer(delivery, await deliver(request.url.path, delivery.events))

        return receive

    async def dispatch(request: Request) -> Response:
        delivery = http_events.read(await request.body(), _content_type(request))
        outcomes = [await deliver(route_for(event.type).path, [event]) for event in delivery.events]
        return answer(delivery, [outcome for [outcome] in outcomes])

    async def receive_unknown(request: Request) -> Response:
        body, content_type = await request.body(), _content_type(request)
        text = http_events.answer_on_unknown_path(body, content_type, request.url.path)
        return Response(text, media_type="application/json")

    def answer(delivery: Delivery, outcomes: list[Outcome]) -> Response:
        return Response(http_events.answer(delivery, outcomes), media_type="application/json")

    for each in subscriptions:
        # In code the SDK can name one route for a topic: no rules and no bulk. So that route dispatches; the
        # routes of the declarative subscription, which can say both, are plain ones beside it.
        route, handler = each.default_path, receiver(each.raw)
        if each.rules:
            for path in each.paths:
                api.add_api_route(path, handler, methods=["POST"])
            route, handler = f"/{each.topic.name}", dispatch
        subscribe = dapr.subscribe(
            each.topic.pubsub,
            each.topic.name,
            metadata=each.metadata,
            route=route,
            dead_letter_topic=each.dead_letter_topic or None,
        )
        subscribe(handler)
    api.add_api_route("/{path:path}", receive_unknown, methods=["POST"])
    # The extension itself checks no token.
    app = token_guards.HttpGuard(api, settings.app_api_token)
    return await HttpServer.start(app, "127.0.0.1", settings.callback_port)


def _content_type(request: Request) -> str:
    return request.headers.get("content-type", "")


class SdkHttpSidecar(HttpCalls):
    """daprd by the SDK's HTTP client, which opens a connection for each call."""

    def __init__(self, client: DaprHttpClient, settings: Settings) -> None:
        self._client = client
        self._timeout_seconds = settings.request_timeout_seconds

    async def request(self, method: str, path: str, body: bytes | None, content_type: str) -> Answer:
        url = f"{get_api_url()}/{path}"
        try:
            async with asyncio.timeout(self._timeout_seconds):
                answer, response = await self._client.send_bytes(
                    method, url, body, {"content-type": content_type}
                )
                return Answer(response.status, answer)
        except DaprHttpError as error:
            return Answer(error.status_code or 0, str(error).encode())
        except (aiohttp.ClientError, TimeoutError) as error:
            return Answer(0, repr(error).encode())

    async def close(self) -> None:
        """Nothing is kept open between calls."""
