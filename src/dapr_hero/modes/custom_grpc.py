"""Mode custom-grpc: Dapr's gRPC API with generated stubs on grpc.aio, and an AppCallback service of our own.

The stubs are those that the SDK's wheel carries; nothing else of the SDK is used here.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import grpc.aio
from dapr.proto import api_service_v1, api_v1, appcallback_service_v1, appcallback_v1, common_v1
from google.protobuf.empty_pb2 import Empty
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from dapr_hero.contract import events
from dapr_hero.contract.errors import Unavailable
from dapr_hero.contract.events import CloudEvent, Outcome
from dapr_hero.contract.routing import DEFAULT, Subscription
from dapr_hero.modes.shared import grpc_delivery as grpc_events
from dapr_hero.modes.shared.unknown_path import retry_unknown_path
from dapr_hero.service import tracing
from dapr_hero.service.drain import STOP_TIMEOUT_SECONDS
from dapr_hero.service.limits import MAX_MESSAGE_BYTES
from dapr_hero.service.servers import grpc_server
from dapr_hero.settings import Settings
from dapr_hero.sidecar import grpc_errors, tokens
from dapr_hero.sidecar.interface import Conflict, Deliver, StateEntry
from dapr_hero.sidecar.readiness import wait_for_sidecar

_Status = appcallback_v1.TopicEventResponse


async def connect(settings: Settings) -> "GrpcSidecar":
    """Calls out, once the sidecar can take them. Raises: Unavailable."""
    await wait_for_sidecar(settings)
    return GrpcSidecar(settings)


async def listen(
    settings: Settings, subscriptions: Sequence[Subscription], deliver: Deliver
) -> "GrpcListener":
    """Events in. Raises: PortInUse."""
    server = grpc_server("127.0.0.1", settings.callback_port, settings.app_api_token)
    callbacks = Callbacks(subscriptions, deliver)
    appcallback_service_v1.add_AppCallbackServicer_to_server(callbacks, server)
    await server.start()
    return GrpcListener(server)


class GrpcListener:
    def __init__(self, server: grpc.aio.Server) -> None:
        self._server = server

    async def stop(self) -> None:
        await self._server.stop(STOP_TIMEOUT_SECONDS)


class Callbacks(appcallback_service_v1.AppCallbackServicer):
    """https://docs.dapr.io/reference/api/pubsub_api/, as the AppCallback service of dapr/proto has it."""

    def __init__(self, subscriptions: Sequence[Subscription], deliver: Deliver) -> None:
        self._subscriptions = subscriptions
        self._paths = {path for each in subscriptions for path in each.paths}
        self._raw_paths = {path for each in subscriptions if each.raw for path in each.paths}
        self._deliver = deliver

    async def ListTopicSubscriptions(self, request: Empty, context: Any) -> Message:
        return appcallback_v1.ListTopicSubscriptionsResponse(
            subscriptions=[_registration(each) for each in self._subscriptions]
        )

    async def OnTopicEvent(self, request: Any, context: Any) -> Message:
        raw = request.path in self._raw_paths
        event = events.decode(request.data) if raw else _event(request)
        [outcome] = await self._outcomes(request.path or DEFAULT.path, [event])
        return appcallback_v1.TopicEventResponse(status=_status(outcome))

    async def OnBulkTopicEvent(self, request: Any, context: Any) -> Message:
        batch = [_event(entry.cloud_event) for entry in request.entries]
        outcomes = await self._outcomes(request.path or DEFAULT.path, batch)
        return appcallback_v1.TopicEventBulkResponse(
            statuses=[
                _entry(entry.entry_id, outcome)
                for entry, outcome in zip(request.entries, outcomes, strict=True)
            ]
        )

    async def _outcomes(self, path: str, batch: list[CloudEvent]) -> list[Outcome]:
        return (
            await self._deliver(path, batch) if path in self._paths else retry_unknown_path(path, len(batch))
        )

    async def ListInputBindings(self, request: Empty, context: Any) -> Message:
        return appcallback_v1.ListInputBindingsResponse()


def _event(message: Any) -> CloudEvent:
    attributes = {
        "id": message.id,
        "source": message.source,
        "type": message.type,
        "specversion": message.spec_version,
        "datacontenttype": message.data_content_type,
    }
    time, traceparent = _extension(message, "time"), _extension(message, "traceparent")
    return grpc_events.event(attributes, message.data, time, traceparent, partial(_extensions, message))


def _extensions(message: Any) -> dict[str, Any]:
    return MessageToDict(message.extensions)


def _extension(message: Any, name: str) -> Any:
    # A Struct finds its texts twice as fast by its fields as by its own mapping.
    value = message.extensions.fields.get(name)
    return value and (value.string_value or message.extensions[name])


def _entry(entry_id: str, outcome: Outcome) -> appcallback_v1.TopicEventBulkResponseEntry:
    return appcallback_v1.TopicEventBulkResponseEntry(entry_id=entry_id, status=_status(outcome))


def _status(outcome: Outcome) -> Any:
    # Never DROP, for the reason in http_events.
    return _Status.SUCCESS if outcome.verdict.settled else _Status.RETRY


def _registration(subscription: Subscription) -> appcallback_v1.TopicSubscription:
    bulk = subscription.bulk
    return appcallback_v1.TopicSubscription(
        pubsub_name=subscription.topic.pubsub,
        topic=subscription.topic.name,
        metadata=subscription.metadata,
        dead_letter_topic=subscription.dead_letter_topic,
        routes=appcallback_v1.TopicRoutes(
            rules=[appcallback_v1.TopicRule(match=rule.match, path=rule.path) for rule in subscription.rules],
            default=subscription.default_path,
        ),
        bulk_subscribe=appcallback_v1.BulkSubscribeConfig(
            enabled=True,
            max_messages_count=bulk.max_messages,
            max_await_duration_ms=bulk.max_await_milliseconds,
        )
        if bulk
        else None,
    )


class GrpcSidecar:
    """daprd by its gRPC API: https://docs.dapr.io/reference/api/ (the service `Dapr` of dapr/proto)"""

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
        found = (await self._call(store, self._dapr.GetBulkState, request)).items
        if error := next((each.error for each in found if each.error), ""):
            raise Unavailable(store, error)  # an entry can fail while the call succeeds
        return {each.key: StateEntry(each.key, each.data, each.etag) for each in found if each.etag}

    async def save_states(self, store: str, states: Sequence[StateEntry]) -> None:
        request = api_v1.SaveStateRequest(store_name=store, states=[_write(state) for state in states])
        await self._call(store, self._dapr.SaveState, request)

    async def publish(self, pubsub: str, topic: str, event: bytes) -> None:
        request = api_v1.PublishEventRequest(
            pubsub_name=pubsub, topic=topic, data=event, data_content_type="application/cloudevents+json"
        )
        await self._call(pubsub, self._dapr.PublishEvent, request)

    async def close(self) -> None:
        await self._channel.close()

    async def _call(self, dependency: str, method: Any, request: Message) -> Any:
        headers = {**self._token, **tracing.outgoing()}
        try:
            return await method(request, timeout=self._timeout_seconds, metadata=tuple(headers.items()))
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.ABORTED:
                raise Conflict from None
            raise grpc_errors.failure(dependency, error.code(), error.details()) from None


def _write(state: StateEntry) -> common_v1.StateItem:
    return common_v1.StateItem(
        key=state.key,
        value=state.value,
        etag=common_v1.Etag(value=state.etag),
        options=common_v1.StateOptions(concurrency=common_v1.StateOptions.CONCURRENCY_FIRST_WRITE),
    )
