"""Mode sdk-grpc: the SDK's gRPC extension in, the SDK's asynchronous DaprClient out.

The extension is synchronous: it calls handlers on threads of its own, and for the events of a bulk request
one after the other. Two bridges fit it to ours: the work is done on our event loop, and the events of a bulk
request are collected first and then handled together.
"""

import asyncio
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc.aio
import msgspec
from dapr.aio.clients import DaprClient
from dapr.clients.exceptions import DaprGrpcError
from dapr.clients.grpc._state import Concurrency, StateItem, StateOptions
from dapr.conf import settings as sdk
from dapr.ext.grpc import App, Rule, SubscriptionMessage, TopicEventResponse
from dapr.proto import appcallback_v1

from dapr_hero import tracing
from dapr_hero.errors import Unavailable
from dapr_hero.events import CloudEvent, Outcome, Verdict
from dapr_hero.modes import Conflict, Deliver, State, log, wait_for_sidecar
from dapr_hero.routing import DEFAULT, Route, Subscription
from dapr_hero.servers import DRAIN_SECONDS, MAX_MESSAGE_BYTES, PortInUse
from dapr_hero.settings import Settings

_STATUS = {Verdict.STORED: "success", Verdict.RETRY: "retry", Verdict.REJECT: "drop"}
_THREADS = 32


async def connect(settings: Settings) -> "SdkGrpcSidecar":
    """Calls out, once the sidecar can take them. Raises: Unavailable."""
    await wait_for_sidecar(settings)
    sdk.DAPR_RUNTIME_HOST = settings.dapr_host  # type: ignore[attr-defined]  # set by name in the SDK
    sdk.DAPR_HTTP_PORT = settings.dapr_http_port  # type: ignore[attr-defined]
    sdk.DAPR_API_TIMEOUT_SECONDS = settings.request_timeout_seconds  # type: ignore[attr-defined]
    # The constructor asks for the sidecar's health once more, and blocks while it does.
    return SdkGrpcSidecar(
        DaprClient(f"{settings.dapr_host}:{settings.dapr_grpc_port}", interceptors=[_TraceInterceptor()])
    )


async def listen(settings: Settings, subscription: Subscription, deliver: Deliver) -> "SdkGrpcListener":
    """Events in. Raises: PortInUse."""
    bridge = _Bridge(deliver, asyncio.get_running_loop())
    app = App(
        thread_pool=ThreadPoolExecutor(_THREADS, thread_name_prefix="dapr-callback"),
        interceptors=[bridge],
        options=[("grpc.max_receive_message_length", MAX_MESSAGE_BYTES), ("grpc.so_reuseport", 0)],
    )
    app.register_health_check(lambda: None)
    for priority, route in enumerate(subscription.routes):
        subscribe = app.subscribe(
            subscription.pubsub,
            subscription.topic,
            metadata={},
            dead_letter_topic=subscription.dead_letter_topic,
            rule=Rule(route.match or "true", priority),
        )
        subscribe(bridge.handler(route))
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
        stopped = self._app._server.stop(DRAIN_SECONDS)
        await asyncio.to_thread(stopped.wait)
        await self._running


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class _Bridge(grpc.ServerInterceptor):
    """From the extension's threads to our event loop, and from its single events to our batches."""

    def __init__(self, deliver: Deliver, loop: asyncio.AbstractEventLoop) -> None:
        self._deliver = deliver
        self._loop = loop
        self._thread = threading.local()

    def handler(self, route: Route) -> Callable[[SubscriptionMessage], TopicEventResponse]:
        """What the extension calls for each event of a route; it finds it by its name, the route's path."""

        def handle(message: SubscriptionMessage) -> TopicEventResponse:
            collected: list[CloudEvent] | None = getattr(self._thread, "collected", None)
            if collected is not None:
                collected.append(_event(message))
                return TopicEventResponse("success")
            [outcome] = self._outcomes(route.path, [_event(message)])
            return TopicEventResponse(_STATUS[outcome.verdict])

        handle.__name__ = route.path
        return handle

    def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        handler = continuation(handler_call_details)
        if not handler_call_details.method.endswith("/OnBulkTopicEvent"):
            return handler
        return grpc.unary_unary_rpc_method_handler(
            lambda request, context: self._bulk(handler.unary_unary, request, context),
            handler.request_deserializer,
            handler.response_serializer,
        )

    def _bulk(self, inner: Any, request: Any, context: Any) -> Any:
        """Let the extension decode the events and find their handler, then answer for all at once."""
        collected: list[CloudEvent] = []
        self._thread.collected = collected
        try:
            response = inner(request, context)
        finally:
            self._thread.collected = None
        outcomes = self._outcomes(request.path or DEFAULT.path, collected)
        read = [
            entry for entry in response.statuses if entry.status == appcallback_v1.TopicEventResponse.SUCCESS
        ]
        for entry, outcome in zip(read, outcomes, strict=True):
            entry.status = _STATUS[outcome.verdict].upper()
        return response

    def _outcomes(self, path: str, events: list[CloudEvent]) -> list[Outcome]:
        return asyncio.run_coroutine_threadsafe(self._awaited(path, events), self._loop).result()

    async def _awaited(self, path: str, events: list[CloudEvent]) -> list[Outcome]:
        return await self._deliver(path, events)


def _event(message: SubscriptionMessage) -> CloudEvent:
    """The event in the SDK's message; attributes that are absent come as ""."""
    extensions = message.extensions()
    return CloudEvent(
        id=message.id(),
        source=message.source(),
        specversion=message.spec_version(),
        type=message.type(),
        datacontenttype=message.data_content_type(),
        time=extensions.get("time"),
        traceparent=extensions.get("traceparent"),
        data=msgspec.Raw(message.raw_data()),
    )


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

    async def get_states(self, store: str, keys: Sequence[str]) -> Mapping[str, State]:
        found = (
            await self._call(store, self._client.get_bulk_state(store, keys, parallelism=len(keys)))
        ).items
        if any(each.error for each in found):  # An entry can fail while the call succeeds.
            raise Unavailable(store)
        return {each.key: State(each.key, each.data, each.etag) for each in found if each.etag}

    async def save_states(self, store: str, states: Sequence[State]) -> None:
        options = StateOptions(concurrency=Concurrency.first_write).get_proto()
        items = [StateItem(state.key, state.value, state.etag or None, options) for state in states]
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
            log.warning("call failed", dependency=dependency, code=error.code().name, details=error.details())
            raise Unavailable(dependency) from None
