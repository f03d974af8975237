"""Mode sdk-http: the HTTP client and the FastAPI extension of Dapr's Python SDK.

| direction | what the SDK offers here                       | what this file does about it                   |
|-----------|------------------------------------------------|------------------------------------------------|
| calls out | a transport: address, token, retries           | sends the requests of Dapr's REST API with it  |
| events in | a FastAPI extension, one route for each topic  | dispatches by type; adds a route for each path |
| batches   | nothing                                        | reads the bodies itself; a status for each     |
| tokens    | sends one                                      | requires the other with a guard                |

The SDK's typed client speaks gRPC whatever the app speaks, so this mode does not use it.
"""

import asyncio
from collections.abc import Mapping, Sequence

import aiohttp
from dapr.clients.exceptions import DaprHttpError
from dapr.clients.http.client import DaprHttpClient
from dapr.clients.http.helpers import get_api_url
from dapr.ext.fastapi import DaprApp
from dapr.serializers import DefaultJSONSerializer
from fastapi import FastAPI, Request, Response

from dapr_hero.contract.errors import Unavailable
from dapr_hero.contract.kinds import kind_of
from dapr_hero.contract.routing import Subscription
from dapr_hero.modes.shared import dapr_http_api, http_delivery, sdk_settings
from dapr_hero.service import token_guards, trace_context
from dapr_hero.service.servers import HttpServer
from dapr_hero.settings import Settings
from dapr_hero.sidecar.interface import Deliver, StateEntry
from dapr_hero.sidecar.readiness import wait_for_sidecar


class Sidecar:
    """Calls daprd's HTTP API. The SDK opens a connection for each call."""

    def __init__(self, settings: Settings) -> None:
        """Block until daprd is ready, as the SDK's constructor does. Raises: TimeoutError."""
        self._timeout_seconds = settings.request_timeout_seconds
        self._client = DaprHttpClient(DefaultJSONSerializer(), headers_callback=trace_context.outgoing)

    async def get_secret(self, store: str, key: str) -> Mapping[str, str]:
        return dapr_http_api.secret(await self._call(dapr_http_api.get_secret(store, key)))

    async def get_states(self, store: str, keys: Sequence[str]) -> Mapping[str, StateEntry]:
        return dapr_http_api.states(store, await self._call(dapr_http_api.get_states(store, keys)))

    async def save_states(self, store: str, states: Sequence[StateEntry]) -> None:
        await self._call(dapr_http_api.save_states(store, states))

    async def publish(self, pubsub: str, topic: str, event: bytes) -> None:
        await self._call(dapr_http_api.publish(pubsub, topic, event))

    async def close(self) -> None:
        """Do nothing: no connection stays open between calls."""

    async def _call(self, request: dapr_http_api.Request) -> bytes:
        url = f"{get_api_url()}/{request.path}"
        headers: dict[str, bytes | str] = {"content-type": request.content_type}
        try:
            async with asyncio.timeout(self._timeout_seconds):
                body, response = await self._client.send_bytes(request.method, url, request.body, headers)
                return dapr_http_api.accepted(request, response.status, body)
        except DaprHttpError as error:
            return dapr_http_api.accepted(request, error.status_code or 0, str(error).encode())
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unavailable(request.dependency, repr(error)) from None


class Listener:
    """Serves the routes that daprd calls."""

    def __init__(self, subscriptions: Sequence[Subscription], deliver: Deliver) -> None:
        self._subscriptions = subscriptions
        self._deliver = deliver
        self._raw_paths = {path for each in subscriptions if each.raw for path in each.paths}
        self._server: HttpServer

    async def start(self, settings: Settings) -> None:
        api = FastAPI(openapi_url=None)
        dapr = DaprApp(api)
        for each in self._subscriptions:
            self._subscribe(dapr, api, each)
        api.add_api_route("/{path:path}", self._receive_unknown, methods=["POST"])
        app = token_guards.HttpGuard(api, settings.app_api_token)
        self._server = await HttpServer.start(app, "127.0.0.1", settings.callback_port)

    async def stop(self) -> None:
        await self._server.stop()

    def _subscribe(self, dapr: DaprApp, api: FastAPI, subscription: Subscription) -> None:
        """Register a topic, with the one route that the SDK allows: neither rules nor bulk.

        A topic with rules gets a route that dispatches. The declarative subscription has rules and bulk; it
        names the plain routes that are added here.
        """
        route, handler = subscription.default_path, self._receive
        if subscription.rules:
            for path in subscription.paths:
                api.add_api_route(path, self._receive, methods=["POST"])
            route, handler = f"/{subscription.topic.name}", self._dispatch
        register = dapr.subscribe(
            subscription.topic.pubsub,
            subscription.topic.name,
            metadata=subscription.metadata,
            route=route,
            dead_letter_topic=subscription.dead_letter_topic or None,
        )
        register(handler)

    async def _receive(self, request: Request) -> Response:
        path = request.url.path
        delivery = await http_delivery.received(request, raw=path in self._raw_paths)
        return http_delivery.response(delivery, await self._deliver(path, delivery.events))

    async def _dispatch(self, request: Request) -> Response:
        delivery = await http_delivery.received(request)
        outcomes = [await self._deliver(kind_of(each.type).path, [each]) for each in delivery.events]
        return http_delivery.response(delivery, [outcome for [outcome] in outcomes])

    async def _receive_unknown(self, request: Request) -> Response:
        return await http_delivery.unknown_path_response(request)


async def connect(settings: Settings) -> Sidecar:
    """Return the calls to daprd, once it is ready. Raises: Unavailable."""
    await wait_for_sidecar(settings)
    sdk_settings.configure(settings)
    try:
        return await asyncio.to_thread(Sidecar, settings)  # its constructor blocks
    except TimeoutError:
        raise Unavailable("daprd", "no response to the SDK's health check") from None


async def listen(settings: Settings, subscriptions: Sequence[Subscription], deliver: Deliver) -> Listener:
    """Return the listener, once it accepts deliveries. Raises: PortInUse."""
    listener = Listener(subscriptions, deliver)
    await listener.start(settings)
    return listener
