"""Mode custom-http: Dapr's HTTP API with a plain HTTP client, and callback routes of our own."""

from collections.abc import Awaitable, Callable, Sequence

import aiohttp
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dapr_hero.contract.routing import Subscription
from dapr_hero.modes.shared import http_delivery as http_events
from dapr_hero.modes.shared.dapr_http_api import Answer, HttpCalls
from dapr_hero.service import token_guards, tracing
from dapr_hero.service.servers import HttpServer
from dapr_hero.settings import Settings
from dapr_hero.sidecar import tokens
from dapr_hero.sidecar.interface import Deliver
from dapr_hero.sidecar.readiness import wait_for_sidecar


async def connect(settings: Settings) -> "HttpSidecar":
    """Calls out, once the sidecar can take them. Raises: Unavailable."""
    await wait_for_sidecar(settings)
    return HttpSidecar(settings)


async def listen(settings: Settings, subscriptions: Sequence[Subscription], deliver: Deliver) -> HttpServer:
    """Events in. Raises: PortInUse."""

    async def subscribe(_: Request) -> Response:
        return JSONResponse([each.as_json() for each in subscriptions])

    def receiver(raw: bool) -> Callable[[Request], Awaitable[Response]]:
        async def receive(request: Request) -> Response:
            delivery = http_events.read(await request.body(), _content_type(request), raw=raw)
            outcomes = await deliver(request.url.path, delivery.events)
            return Response(http_events.answer(delivery, outcomes), media_type="application/json")

        return receive

    async def receive_unknown(request: Request) -> Response:
        body, content_type = await request.body(), _content_type(request)
        answer = http_events.answer_on_unknown_path(body, content_type, request.url.path)
        return Response(answer, media_type="application/json")

    routes = [Route("/dapr/subscribe", subscribe)]
    routes += [
        Route(path, receiver(each.raw), methods=["POST"]) for each in subscriptions for path in each.paths
    ]
    routes.append(Route("/{path:path}", receive_unknown, methods=["POST"]))
    app = token_guards.HttpGuard(Starlette(routes=routes), settings.app_api_token)
    return await HttpServer.start(app, "127.0.0.1", settings.callback_port)


def _content_type(request: Request) -> str:
    return request.headers.get("content-type", "")


class HttpSidecar(HttpCalls):
    """daprd by aiohttp: one session, its connections kept open."""

    def __init__(self, settings: Settings) -> None:
        self._base = f"http://{settings.dapr_host}:{settings.dapr_http_port}/v1.0/"
        timeout = aiohttp.ClientTimeout(total=settings.request_timeout_seconds)
        self._session = aiohttp.ClientSession(timeout=timeout, headers=tokens.to_daprd(settings))

    async def request(self, method: str, path: str, body: bytes | None, content_type: str) -> Answer:
        headers = {"content-type": content_type, **tracing.outgoing()}
        try:
            async with self._session.request(
                method, self._base + path, data=body, headers=headers
            ) as response:
                return Answer(response.status, await response.read())
        except (aiohttp.ClientError, TimeoutError) as error:
            return Answer(0, repr(error).encode())

    async def close(self) -> None:
        await self._session.close()
