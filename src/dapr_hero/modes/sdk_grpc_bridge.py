"""From the threads of the SDK's gRPC extension to our event loop, and from its single events to batches."""

import asyncio
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import grpc
import msgspec
from dapr.ext.grpc import SubscriptionMessage, TopicEventResponse
from dapr.proto import appcallback_v1

from dapr_hero import events
from dapr_hero.events import CloudEvent, Outcome
from dapr_hero.modes import Deliver, grpc_events
from dapr_hero.routing import DEFAULT


class Bridge(grpc.ServerInterceptor):
    """Runs handlers on our loop; collects the events of a bulk request and handles them together."""

    def __init__(self, deliver: Deliver, loop: asyncio.AbstractEventLoop) -> None:
        self._deliver = deliver
        self._loop = loop
        self._thread = threading.local()

    def handler(self, path: str, *, raw: bool) -> Callable[[SubscriptionMessage], TopicEventResponse]:
        """What the extension calls for each event of a path; it finds it by its name, which is the path."""

        def handle(message: SubscriptionMessage) -> TopicEventResponse:
            event = events.decode(message.raw_data()) if raw else _event(message)
            collected: list[CloudEvent] | None = getattr(self._thread, "collected", None)
            if collected is not None:
                collected.append(event)
                return TopicEventResponse("success")
            [outcome] = self._outcomes(path, [event])
            return TopicEventResponse(_status(outcome))

        handle.__name__ = path
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
            entry.status = _status(outcome).upper()
        return response

    def _outcomes(self, path: str, batch: list[CloudEvent]) -> list[Outcome]:
        return asyncio.run_coroutine_threadsafe(self._awaited(path, batch), self._loop).result()

    async def _awaited(self, path: str, batch: list[CloudEvent]) -> list[Outcome]:
        return await self._deliver(path, batch)


def _status(outcome: Outcome) -> str:
    # Never "drop", for the reason in http_events.
    return "success" if outcome.verdict.settled else "retry"


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
        original=partial(_original, message),
    )


def _original(message: SubscriptionMessage) -> bytes:
    attributes = {name: getattr(message, field)() for name, field in grpc_events.ATTRIBUTES.items()}
    return grpc_events.structured(attributes, message.extensions(), message.raw_data())
