"""Mode sdk-grpc: the SDK's gRPC extension in, the SDK's asynchronous DaprClient out.

The extension is synchronous: it calls handlers on threads of its own, and for the events of a bulk request
one after the other. `shared.sdk_grpc_batches` is what fits it to asynchronous handlers of batches.
"""

import asyncio
import socket
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc.aio
from dapr.aio.clients import DaprClient
from dapr.clients.exceptions import DaprGrpcError
from dapr.clients.grpc._state import Concurrency, StateItem, StateOptions
from dapr.ext.grpc import App, Rule

from dapr_hero.contract.errors import Unavailable
from dapr_hero.contract.routing import Subscription
from dapr_hero.modes.shared import sdk_settings
from dapr_hero.modes.shared.sdk_grpc_batches import Bridge
from dapr_hero.service import token_guards, tracing
from dapr_hero.service.drain import STOP_TIMEOUT_SECONDS
from dapr_hero.service.servers import GRPC_OPTIONS, PortInUse
from dapr_hero.settings import Settings
from dapr_hero.sidecar import grpc_errors
from dapr_hero.sidecar.interface import Conflict, Deliver, StateEntry
from dapr_hero.sidecar.readiness import wait_for_sidecar

_THREADS = 32


async def connect(settings: Settings) -> "SdkGrpcSidecar":
    """Calls out, once the sidecar can take them. Raises: Unavailable."""
    await wait_for_sidecar(settings)
    sdk_settings.configure(settings)
    try:
        # The constructor waits for the sidecar once more, and blocks its thread while it does.
        client = await asyncio.to_thread(_client, settings, asyncio.get_running_loop())
    except TimeoutError:
        raise Unavailable("daprd", "it does not answer the SDK's health check") from None
    return SdkGrpcSidecar(client)


def _client(settings: Settings, loop: asyncio.AbstractEventLoop) -> DaprClient:
    """Return the SDK's client. Its channel takes the event loop of this thread, so that is set to `loop`."""
    asyncio.set_event_loop(loop)
    try:
        address = f"{settings.dapr_host}:{settings.dapr_grpc_port}"
        return DaprClient(address, interceptors=[_TraceInterceptor()])
    finally:
        asyncio.set_event_loop(None)


async def listen(
    settings: Settings, subscriptions: Sequence[Subscription], deliver: Deliver
) -> "SdkGrpcListener":
    """Events in. Raises: PortInUse."""
    bridge = Bridge(deliver, asyncio.get_running_loop())
    app = App(
        thread_pool=ThreadPoolExecutor(_THREADS, thread_name_prefix="dapr-callback"),
        # The extension itself checks no token.
        interceptors=[token_guards.ThreadedGrpcGuard(settings.app_api_token), bridge],
        options=GRPC_OPTIONS,
    )
    for each in subscriptions:
        rules = [(rule.path, rule.match) for rule in each.rules]
        # With any rule on a topic the SDK registers no default route, so the default is a rule as well.
        for priority, (path, match) in enumerate([*rules, (each.default_path, "true")]):
            subscribe = app.subscribe(
                each.topic.pubsub,
                each.topic.name,
                metadata=each.metadata,
                dead_letter_topic=each.dead_letter_topic,
                rule=Rule(match, priority),
            )
            subscribe(bridge.handler(path, each.topic, raw=each.raw))
    listener = SdkGrpcListener(app, settings.callback_port)
    await listener.start()
    return listener


class SdkGrpcListener:
    """The extension's app, whose `run` blocks, on a thread."""

    def __init__(self, app: App, port: int) -> None:
        self._app = app
        self._port = port

    async def start(self) -> None:
        """Return when the port answers. Raises: PortInUse."""
        if _answers(self._port):
            raise PortInUse(f"cannot listen on 127.0.0.1:{self._port}: Address already in use")
        self._running = asyncio.ensure_future(asyncio.to_thread(self._app.run, self._port, "127.0.0.1"))
        while not _answers(self._port):
            if self._running.done():
                await self._running
            await asyncio.sleep(0.01)

    async def stop(self) -> None:
        # App.stop() cuts the deliveries under way; the server that it wraps can wait for them.
        stopped = self._app._server.stop(STOP_TIMEOUT_SECONDS)
        await asyncio.to_thread(stopped.wait)
        await self._running


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class _TraceInterceptor(grpc.aio.UnaryUnaryClientInterceptor):
    """Continues our trace in the sidecar; the SDK's calls take no trace context."""

    async def intercept_unary_unary(self, continuation: Any, details: Any, request: Any) -> Any:
        metadata = grpc.aio.Metadata(*(details.metadata or ()), *tracing.outgoing().items())
        return await continuation(details._replace(metadata=metadata), request)


class SdkGrpcSidecar:
    """https://docs.dapr.io/developing-applications/sdks/python/python-client/"""

    def __init__(self, client: DaprClient) -> None:
        self._client = client

    async def get_secret(self, store: str, key: str) -> Mapping[str, str]:
        return dict((await self._call(store, self._client.get_secret(store, key))).secret)

    async def get_states(self, store: str, keys: Sequence[str]) -> Mapping[str, StateEntry]:
        found = (
            await self._call(store, self._client.get_bulk_state(store, keys, parallelism=len(keys)))
        ).items
        if error := next((each.error for each in found if each.error), ""):
            raise Unavailable(store, error)  # an entry can fail while the call succeeds
        return {each.key: StateEntry(each.key, each.data, each.etag) for each in found if each.etag}

    async def save_states(self, store: str, states: Sequence[StateEntry]) -> None:
        options = StateOptions(concurrency=Concurrency.first_write).get_proto()
        items = [StateItem(state.key, state.value, state.etag, options) for state in states]
        await self._call(store, self._client.save_bulk_state(store, items))

    async def publish(self, pubsub: str, topic: str, event: bytes) -> None:
        publishing = self._client.publish_event(
            pubsub, topic, event, data_content_type="application/cloudevents+json"
        )
        await self._call(pubsub, publishing)

    async def close(self) -> None:
        await self._client.close()

    async def _call(self, dependency: str, call: Any) -> Any:
        # The SDK wraps the errors of some calls and not of others; both kinds have a code.
        try:
            return await call
        except (DaprGrpcError, grpc.aio.AioRpcError) as error:
            if error.code() is grpc.StatusCode.ABORTED:
                raise Conflict from None
            raise grpc_errors.failure(dependency, error.code(), error.details()) from None
