"""Collects the events that the SDK's gRPC extension hands over one by one, and delivers them in batches."""

import asyncio
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import grpc
from dapr.ext.grpc import SubscriptionMessage, TopicEventResponse
from dapr.proto import appcallback_v1

from dapr_hero.contract import events
from dapr_hero.contract.events import CloudEvent, Outcome
from dapr_hero.contract.routing import Topic
from dapr_hero.modes.shared import grpc_delivery, grpc_messages
from dapr_hero.modes.shared.unknown_path import retry_unknown_path
from dapr_hero.sidecar.interface import Deliver


class BatchInterceptor(grpc.ServerInterceptor):
    """Collects the events of a bulk request, and delivers them together on the event loop."""

    def __init__(self, deliver: Deliver, loop: asyncio.AbstractEventLoop) -> None:
        self._deliver = deliver
        self._loop = loop
        self._thread = threading.local()
        self._topics: dict[str, Topic] = {}

    def handler(
        self, path: str, topic: Topic, *, raw: bool
    ) -> Callable[[SubscriptionMessage], TopicEventResponse]:
        """Return a handler for the extension, which finds it by its name, the path, and by its topic."""

        def handle(message: SubscriptionMessage) -> TopicEventResponse:
            event = events.decode(message.raw_data()) if raw else _event(message)
            collected: list[CloudEvent] | None = getattr(self._thread, "collected", None)
            if collected is not None:
                collected.append(event)
                return TopicEventResponse("success")
            [outcome] = self._outcomes(path, [event])
            return TopicEventResponse(_status(outcome))

        handle.__name__ = path
        self._topics[path] = topic
        return handle

    def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        handler = continuation(handler_call_details)
        methods = {"OnTopicEvent": self._single, "OnBulkTopicEvent": self._bulk}
        method = methods.get(handler_call_details.method.rpartition("/")[2])
        if method is None:
            return handler
        return grpc.unary_unary_rpc_method_handler(
            partial(method, handler.unary_unary),
            handler.request_deserializer,
            handler.response_serializer,
        )

    def _single(self, inner: Any, request: Any, context: Any) -> Any:
        if not self._is_known(request):
            [outcome] = retry_unknown_path(request.path, 1)
            return appcallback_v1.TopicEventResponse(status=grpc_messages.status(outcome))
        return inner(request, context)

    def _bulk(self, inner: Any, request: Any, context: Any) -> Any:
        """Let the extension decode the events and find their handler, then answer for all at once."""
        if not self._is_known(request):
            ids = [entry.entry_id for entry in request.entries]
            return grpc_messages.bulk_response(ids, retry_unknown_path(request.path, len(ids)))
        collected: list[CloudEvent] = []
        self._thread.collected = collected
        try:
            response = inner(request, context)
        finally:
            self._thread.collected = None
        outcomes = self._outcomes(request.path, collected)
        read = [
            entry for entry in response.statuses if entry.status == appcallback_v1.TopicEventResponse.SUCCESS
        ]
        for entry, outcome in zip(read, outcomes, strict=True):
            entry.status = grpc_messages.status(outcome)
        return response

    def _is_known(self, request: Any) -> bool:
        """Return whether there is a handler. The path alone decides, as in the other modes, whatever the topic."""
        topic = self._topics.get(request.path)
        if topic is None:
            return False
        request.pubsub_name, request.topic = topic
        return True

    def _outcomes(self, path: str, batch: list[CloudEvent]) -> list[Outcome]:
        return asyncio.run_coroutine_threadsafe(self._awaited(path, batch), self._loop).result()

    async def _awaited(self, path: str, batch: list[CloudEvent]) -> list[Outcome]:
        return await self._deliver(path, batch)


def _status(outcome: Outcome) -> str:
    # Never "drop": see http_delivery.statuses.
    return "success" if outcome.verdict.settled else "retry"


def _event(message: SubscriptionMessage) -> CloudEvent:
    attributes = {
        "id": message.id(),
        "source": message.source(),
        "type": message.type(),
        "specversion": message.spec_version(),
        "datacontenttype": message.data_content_type(),
    }
    extensions = message.extensions()
    time, traceparent = extensions.get("time"), extensions.get("traceparent")
    return grpc_delivery.event(attributes, message.raw_data(), time, traceparent, message.extensions)
