"""Mode custom-http: Dapr's HTTP API without the SDK.

| direction | what Dapr offers here                          | what this file does about it                   |
|-----------|------------------------------------------------|------------------------------------------------|
| calls out | a REST API on `DAPR_HTTP_PORT`                 | sends requests over one aiohttp session        |
| events in | GET /dapr/subscribe, then a POST for each path | answers these paths with Starlette's responses |
| batches   | one POST with up to 500 events                 | hands them over together; a status for each    |
| tokens    | a header in both directions                    | sends one, and requires the other with a guard |
"""

from collections.abc import Mapping, Sequence

import aiohttp
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from dapr_hero.contract.errors import Unavailable
from dapr_hero.contract.routing import Subscription
from dapr_hero.modes.shared import dapr_http_api, http_delivery
from dapr_hero.service import token_guards, trace_context
from dapr_hero.service.servers import HttpServer
from dapr_hero.settings import Settings
from dapr_hero.sidecar import tokens
from dapr_hero.sidecar.interface import Deliver, StateEntry
from dapr_hero.sidecar.readiness import wait_for_sidecar


class Sidecar:
    """Calls daprd's HTTP API. Its connections stay open between calls."""

    def __init__(self, settings: Settings) -> None:
        self._base = f"http://{settings.dapr_host}:{settings.dapr_http_port}/v1.0/"
        timeout = aiohttp.ClientTimeout(total=settings.request_timeout_seconds)
        self._session = aiohttp.ClientSession(timeout=timeout, headers=tokens.to_daprd(settings))

    async def get_secret(self, store: str, key: str) -> Mapping[str, str]:
        return dapr_http_api.secret(await self._call(dapr_http_api.get_secret(store, key)))

    async def get_states(self, store: str, keys: Sequence[str]) -> Mapping[str, StateEntry]:
        return dapr_http_api.states(store, await self._call(dapr_http_api.get_states(store, keys)))

    async def save_states(self, store: str, states: Sequence[StateEntry]) -> None:
        await self._call(dapr_http_api.save_states(store, states))

    async def publish(self, pubsub: str, topic: str, event: bytes) -> None:
        await self._call(dapr_http_api.publish(pubsub, topic, event))

    async def close(self) -> None:
        await self._session.close()

    async def _call(self, request: dapr_http_api.Request) -> bytes:
        url = self._base + request.path
        headers = {"content-type": request.content_type, **trace_context.outgoing()}
        try:
            async with self._session.request(
                request.method, url, data=request.body, headers=headers
            ) as response:
                return dapr_http_api.accepted(request, response.status, await response.read())
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unavailable(request.dependency, repr(error)) from None


class Listener:
    """Serves the paths that daprd calls, directly on ASGI: a router would cost as much as the work (ADR 37)."""

    def __init__(self, subscriptions: Sequence[Subscription], deliver: Deliver) -> None:
        self._subscriptions = subscriptions
        self._deliver = deliver
        self._paths = {path for each in subscriptions for path in each.paths}
        self._raw_paths = {path for each in subscriptions if each.raw for path in each.paths}
        self._server: HttpServer

    async def start(self, settings: Settings) -> None:
        app = token_guards.HttpGuard(self._serve, settings.app_api_token)
        self._server = await HttpServer.start(app, "127.0.0.1", settings.callback_port)

    async def stop(self) -> None:
        await self._server.stop()

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            response = await self._response(request)
        except HTTPException as error:  # a body above the limit
            response = PlainTextResponse(error.detail, error.status_code, error.headers)
        await response(scope, receive, send)

    async def _response(self, request: Request) -> Response:
        match request.method, request.scope["path"]:
            case "POST", path if path in self._paths:
                return await self._receive(request, path)
            case "POST", _:
                return await http_delivery.unknown_path_response(request)
            case "GET", "/dapr/subscribe":
                return JSONResponse([each.as_json() for each in self._subscriptions])
            case _:
                return Response(status_code=404)

    async def _receive(self, request: Request, path: str) -> Response:
        delivery = await http_delivery.received(request, raw=path in self._raw_paths)
        return http_delivery.response(delivery, await self._deliver(path, delivery.events))


async def connect(settings: Settings) -> Sidecar:
    """Return the calls to daprd, once it is ready. Raises: Unavailable."""
    await wait_for_sidecar(settings)
    return Sidecar(settings)


async def listen(settings: Settings, subscriptions: Sequence[Subscription], deliver: Deliver) -> Listener:
    """Return the listener, once it accepts deliveries. Raises: PortInUse."""
    listener = Listener(subscriptions, deliver)
    await listener.start(settings)
    return listener
