"""Mode custom-grpc: Dapr's gRPC API without the SDK.

| direction | what Dapr offers here                          | what this file does about it                   |
|-----------|------------------------------------------------|------------------------------------------------|
| calls out | the service `Dapr` on `DAPR_GRPC_PORT`         | calls it with generated stubs on grpc.aio      |
| events in | a service `AppCallback`, which the app serves  | implements it on grpc.aio                      |
| batches   | OnBulkTopicEvent with up to 500 events         | hands them over together; a status for each    |
| tokens    | metadata in both directions                    | sends one, and requires the other with a guard |

The stubs are the ones in the SDK's wheel; nothing else of the SDK is used here.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import grpc.aio
from dapr.proto import api_service_v1, api_v1, appcallback_service_v1, appcallback_v1
from google.protobuf.empty_pb2 import Empty
from google.protobuf.message import Message

from dapr_hero.contract import events
from dapr_hero.contract.events import CloudEvent, Outcome
from dapr_hero.contract.kinds import DEFAULT
from dapr_hero.contract.routing import Subscription
from dapr_hero.modes.shared import grpc_messages, state_items
from dapr_hero.modes.shared.unknown_path import retry_unknown_path
from dapr_hero.service import trace_context
from dapr_hero.service.drain import STOP_TIMEOUT_SECONDS
from dapr_hero.service.limits import MAX_MESSAGE_BYTES
from dapr_hero.service.servers import grpc_server
from dapr_hero.settings import Settings
from dapr_hero.sidecar import tokens
from dapr_hero.sidecar.interface import Deliver, StateEntry
from dapr_hero.sidecar.readiness import wait_for_sidecar


class Sidecar:
    """Calls daprd's gRPC API over one channel."""

    def __init__(self, settings: Settings) -> None:
        address = f"{settings.dapr_host}:{settings.dapr_grpc_port}"
        options = [("grpc.max_receive_message_length", MAX_MESSAGE_BYTES)]
        self._channel = grpc.aio.insecure_channel(address, options=options)
        self._dapr = api_service_v1.DaprStub(self._channel)
        self._token = tokens.to_daprd(settings)
        self._timeout_seconds = settings.request_timeout_seconds

    async def get_secret(self, store: str, key: str) -> Mapping[str, str]:
        request = api_v1.GetSecretRequest(store_name=store, key=key)
        return dict((await self._call(store, self._dapr.GetSecret, request)).data)

    async def get_states(self, store: str, keys: Sequence[str]) -> Mapping[str, StateEntry]:
        request = api_v1.GetBulkStateRequest(store_name=store, keys=keys, parallelism=len(keys))
        response = await self._call(store, self._dapr.GetBulkState, request)
        return state_items.entries(store, response.items)

    async def save_states(self, store: str, states: Sequence[StateEntry]) -> None:
        items = [grpc_messages.state_item(each) for each in states]
        await self._call(store, self._dapr.SaveState, api_v1.SaveStateRequest(store_name=store, states=items))

    async def publish(self, pubsub: str, topic: str, event: bytes) -> None:
        request = api_v1.PublishEventRequest(
            pubsub_name=pubsub, topic=topic, data=event, data_content_type="application/cloudevents+json"
        )
        await self._call(pubsub, self._dapr.PublishEvent, request)

    async def close(self) -> None:
        await self._channel.close()

    async def _call(self, dependency: str, method: Any, request: Message) -> Any:
        headers = {**self._token, **trace_context.outgoing()}
        try:
            return await method(request, timeout=self._timeout_seconds, metadata=tuple(headers.items()))
        except grpc.aio.AioRpcError as error:
            grpc_messages.raise_failure(dependency, error.code(), error.details())


class Listener(appcallback_service_v1.AppCallbackServicer):
    """Serves the methods that daprd calls."""

    def __init__(self, subscriptions: Sequence[Subscription], deliver: Deliver) -> None:
        self._subscriptions = subscriptions
        self._deliver = deliver
        self._paths = {path for each in subscriptions for path in each.paths}
        self._raw_paths = {path for each in subscriptions if each.raw for path in each.paths}
        self._server: grpc.aio.Server

    async def start(self, settings: Settings) -> None:
        self._server = grpc_server("127.0.0.1", settings.callback_port, settings.app_api_token)
        appcallback_service_v1.add_AppCallbackServicer_to_server(self, self._server)
        await self._server.start()

    async def stop(self) -> None:
        await self._server.stop(STOP_TIMEOUT_SECONDS)

    async def ListTopicSubscriptions(self, request: Empty, context: Any) -> Message:
        registered = [grpc_messages.registration(each) for each in self._subscriptions]
        return appcallback_v1.ListTopicSubscriptionsResponse(subscriptions=registered)

    async def OnTopicEvent(self, request: Any, context: Any) -> Message:
        raw = request.path in self._raw_paths
        event = events.decode(request.data) if raw else grpc_messages.event(request)
        [outcome] = await self._outcomes(request.path or DEFAULT.path, [event])
        return appcallback_v1.TopicEventResponse(status=grpc_messages.status(outcome))

    async def OnBulkTopicEvent(self, request: Any, context: Any) -> Message:
        batch = [grpc_messages.event(entry.cloud_event) for entry in request.entries]
        outcomes = await self._outcomes(request.path or DEFAULT.path, batch)
        return grpc_messages.bulk_response([entry.entry_id for entry in request.entries], outcomes)

    async def ListInputBindings(self, request: Empty, context: Any) -> Message:
        return appcallback_v1.ListInputBindingsResponse()

    async def _outcomes(self, path: str, batch: list[CloudEvent]) -> list[Outcome]:
        if path in self._paths:
            return await self._deliver(path, batch)
        return retry_unknown_path(path, len(batch))


async def connect(settings: Settings) -> Sidecar:
    """Return the calls to daprd, once it is ready. Raises: Unavailable."""
    await wait_for_sidecar(settings)
    return Sidecar(settings)


async def listen(settings: Settings, subscriptions: Sequence[Subscription], deliver: Deliver) -> Listener:
    """Return the listener, once it accepts deliveries. Raises: PortInUse."""
    listener = Listener(subscriptions, deliver)
    await listener.start(settings)
    return listener
