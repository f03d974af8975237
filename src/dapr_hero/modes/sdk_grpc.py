"""Mode sdk-grpc: the asynchronous client and the gRPC extension of Dapr's Python SDK.

| direction | what the SDK offers here                       | what this file does about it                   |
|-----------|------------------------------------------------|------------------------------------------------|
| calls out | a typed DaprClient; it blocks when it is made  | makes it in a thread; adds the trace context   |
| events in | an extension that calls synchronous handlers   | registers a handler for each rule of a topic   |
| batches   | one handler call for each event of a bulk      | collects them and hands them over together     |
| tokens    | sends one                                      | requires the other with a guard                |
"""

import asyncio
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
from dapr_hero.modes.shared import grpc_messages, sdk_settings, state_items
from dapr_hero.modes.shared.sdk_grpc_batches import BatchInterceptor
from dapr_hero.modes.shared.sdk_grpc_server import SdkGrpcServer
from dapr_hero.modes.shared.sdk_grpc_tracing import TraceInterceptor
from dapr_hero.service import token_guards
from dapr_hero.service.servers import GRPC_OPTIONS
from dapr_hero.settings import Settings
from dapr_hero.sidecar.interface import Deliver, StateEntry
from dapr_hero.sidecar.readiness import wait_for_sidecar

_THREADS = 32


class Sidecar:
    """Calls daprd's gRPC API over one channel of the SDK's client."""

    def __init__(self, settings: Settings, loop: asyncio.AbstractEventLoop) -> None:
        """Block until daprd is ready, as the SDK's constructor does. Raises: TimeoutError."""
        asyncio.set_event_loop(loop)  # the channel belongs to the event loop of this thread
        try:
            address = f"{settings.dapr_host}:{settings.dapr_grpc_port}"
            self._client = DaprClient(address, interceptors=[TraceInterceptor()])
        finally:
            asyncio.set_event_loop(None)

    async def get_secret(self, store: str, key: str) -> Mapping[str, str]:
        return dict((await self._call(store, self._client.get_secret(store, key))).secret)

    async def get_states(self, store: str, keys: Sequence[str]) -> Mapping[str, StateEntry]:
        reading = self._client.get_bulk_state(store, keys, parallelism=len(keys))
        return state_items.entries(store, (await self._call(store, reading)).items)

    async def save_states(self, store: str, states: Sequence[StateEntry]) -> None:
        options = StateOptions(concurrency=Concurrency.first_write).get_proto()
        items = [StateItem(each.key, each.value, each.etag, options) for each in states]
        await self._call(store, self._client.save_bulk_state(store, items))

    async def publish(self, pubsub: str, topic: str, event: bytes) -> None:
        publishing = self._client.publish_event(
            pubsub, topic, event, data_content_type="application/cloudevents+json"
        )
        await self._call(pubsub, publishing)

    async def close(self) -> None:
        await self._client.close()

    async def _call(self, dependency: str, call: Any) -> Any:
        try:
            return await call
        except (DaprGrpcError, grpc.aio.AioRpcError) as error:  # the SDK wraps the errors of some calls only
            grpc_messages.raise_failure(dependency, error.code(), error.details())


class Listener:
    """Serves the methods that daprd calls, on the threads of the SDK's extension."""

    def __init__(self, subscriptions: Sequence[Subscription], deliver: Deliver) -> None:
        self._subscriptions = subscriptions
        self._batches = BatchInterceptor(deliver, asyncio.get_running_loop())
        self._server: SdkGrpcServer

    async def start(self, settings: Settings) -> None:
        app = App(
            thread_pool=ThreadPoolExecutor(_THREADS, thread_name_prefix="dapr-callback"),
            interceptors=[token_guards.ThreadedGrpcGuard(settings.app_api_token), self._batches],
            options=GRPC_OPTIONS,
        )
        for each in self._subscriptions:
            self._subscribe(app, each)
        self._server = SdkGrpcServer(app, settings.callback_port)
        await self._server.start()

    async def stop(self) -> None:
        await self._server.stop()

    def _subscribe(self, app: App, subscription: Subscription) -> None:
        """Register a topic. The SDK has no default route next to rules, so the default is the last rule."""
        topic = subscription.topic
        rules = [(rule.path, rule.match) for rule in subscription.rules]
        for priority, (path, match) in enumerate([*rules, (subscription.default_path, "true")]):
            register = app.subscribe(
                topic.pubsub,
                topic.name,
                metadata=subscription.metadata,
                dead_letter_topic=subscription.dead_letter_topic,
                rule=Rule(match, priority),
            )
            register(self._batches.handler(path, topic, raw=subscription.raw))


async def connect(settings: Settings) -> Sidecar:
    """Return the calls to daprd, once it is ready. Raises: Unavailable."""
    await wait_for_sidecar(settings)
    sdk_settings.configure(settings)
    try:
        # Its constructor blocks.
        return await asyncio.to_thread(Sidecar, settings, asyncio.get_running_loop())
    except TimeoutError:
        raise Unavailable("daprd", "no response to the SDK's health check") from None


async def listen(settings: Settings, subscriptions: Sequence[Subscription], deliver: Deliver) -> Listener:
    """Return the listener, once it accepts deliveries. Raises: PortInUse."""
    listener = Listener(subscriptions, deliver)
    await listener.start(settings)
    return listener
