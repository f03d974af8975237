"""An app that records what daprd delivers over gRPC, and accepts it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
from dapr.proto import appcallback_service_v1, appcallback_v1

from dapr_hero.settings import Settings

SINGLE = "single"


class Recorder(appcallback_service_v1.AppCallbackServicer):
    """Subscribes to the topic of the events in bulk, to `SINGLE` one by one, and to the dead letters raw."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.entries: list[Any] = []
        self.messages: list[Any] = []
        self.dead: list[bytes] = []

    def ListTopicSubscriptions(self, request: Any, context: Any) -> Any:
        s = self._settings
        letters = {"dead_letter_topic": s.dead_letter_topic}
        bulk = appcallback_v1.BulkSubscribeConfig(
            enabled=True, max_messages_count=500, max_await_duration_ms=1
        )
        return appcallback_v1.ListTopicSubscriptionsResponse(
            subscriptions=[
                _subscription(s.pubsub_name, s.pubsub_topic, bulk_subscribe=bulk, **letters),
                _subscription(s.pubsub_name, SINGLE, **letters),
                _subscription(
                    f"{s.pubsub_name}-dead-letters", s.dead_letter_topic, metadata={"rawPayload": "true"}
                ),
            ]
        )

    def ListInputBindings(self, request: Any, context: Any) -> Any:
        return appcallback_v1.ListInputBindingsResponse()

    def OnTopicEvent(self, request: Any, context: Any) -> Any:
        if request.topic == SINGLE:
            self.messages.append(request)
        else:
            self.dead.append(request.data)
        return appcallback_v1.TopicEventResponse()

    def OnBulkTopicEvent(self, request: Any, context: Any) -> Any:
        self.entries += request.entries
        statuses = [
            appcallback_v1.TopicEventBulkResponseEntry(entry_id=each.entry_id) for each in request.entries
        ]
        return appcallback_v1.TopicEventBulkResponse(statuses=statuses)


def _subscription(pubsub: str, topic: str, **more: Any) -> Any:
    routes = appcallback_v1.TopicRoutes(default=f"/{topic}")
    return appcallback_v1.TopicSubscription(pubsub_name=pubsub, topic=topic, routes=routes, **more)


@contextmanager
def recording(settings: Settings) -> Iterator[Recorder]:
    """Serve a recorder in the place of inventory."""
    recorder = Recorder(settings)
    server = grpc.server(ThreadPoolExecutor(8))
    add: Any = appcallback_service_v1.add_AppCallbackServicer_to_server
    add(recorder, server)
    server.add_insecure_port(f"127.0.0.1:{settings.callback_port}")
    server.start()
    try:
        yield recorder
    finally:
        server.stop(None).wait()
