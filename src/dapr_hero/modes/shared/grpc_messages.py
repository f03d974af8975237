"""The messages of Dapr's gRPC API, from and to the types of this project.

https://docs.dapr.io/reference/api/pubsub_api/, as the AppCallback service of dapr/proto has it.
"""

from collections.abc import Iterable
from functools import partial
from typing import Any, NoReturn

import grpc
from dapr.proto import appcallback_v1, common_v1
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from dapr_hero.contract.events import CloudEvent, Outcome
from dapr_hero.contract.routing import Subscription
from dapr_hero.modes.shared import grpc_delivery
from dapr_hero.sidecar import grpc_errors
from dapr_hero.sidecar.interface import Conflict, StateEntry


def event(message: Any) -> CloudEvent:
    """Return the event of a TopicEventRequest or of an entry of a bulk."""
    attributes = {
        "id": message.id,
        "source": message.source,
        "type": message.type,
        "specversion": message.spec_version,
        "datacontenttype": message.data_content_type,
    }
    time, traceparent = _extension(message, "time"), _extension(message, "traceparent")
    return grpc_delivery.event(attributes, message.data, time, traceparent, partial(_extensions, message))


def status(outcome: Outcome) -> Any:
    """Return the status that reports an outcome. It is never DROP: see `http_delivery.statuses`."""
    statuses = appcallback_v1.TopicEventResponse
    return statuses.SUCCESS if outcome.verdict.settled else statuses.RETRY


def bulk_response(entry_ids: Iterable[str], outcomes: Iterable[Outcome]) -> Message:
    """Return the response that reports the outcome of each entry of a bulk."""
    statuses = [
        appcallback_v1.TopicEventBulkResponseEntry(entry_id=id, status=status(outcome))
        for id, outcome in zip(entry_ids, outcomes, strict=True)
    ]
    response: Message = appcallback_v1.TopicEventBulkResponse(statuses=statuses)
    return response


def registration(subscription: Subscription) -> Any:
    """Return a subscription as an entry of ListTopicSubscriptionsResponse."""
    bulk = subscription.bulk
    rules = [appcallback_v1.TopicRule(match=rule.match, path=rule.path) for rule in subscription.rules]
    return appcallback_v1.TopicSubscription(
        pubsub_name=subscription.topic.pubsub,
        topic=subscription.topic.name,
        metadata=subscription.metadata,
        dead_letter_topic=subscription.dead_letter_topic,
        routes=appcallback_v1.TopicRoutes(rules=rules, default=subscription.default_path),
        bulk_subscribe=bulk
        and appcallback_v1.BulkSubscribeConfig(
            enabled=True,
            max_messages_count=bulk.max_messages,
            max_await_duration_ms=bulk.max_await_milliseconds,
        ),
    )


def state_item(entry: StateEntry) -> common_v1.StateItem:
    """Return the item that saves an entry if its etag is still current."""
    first_write = common_v1.StateOptions(concurrency=common_v1.StateOptions.CONCURRENCY_FIRST_WRITE)
    etag = common_v1.Etag(value=entry.etag)
    return common_v1.StateItem(key=entry.key, value=entry.value, etag=etag, options=first_write)


def raise_failure(dependency: str, code: grpc.StatusCode, details: str | None) -> NoReturn:
    """Raise the failure that a status of daprd stands for: Conflict, Refused or Unavailable."""
    if code is grpc.StatusCode.ABORTED:
        raise Conflict from None
    raise grpc_errors.failure(dependency, code, details) from None


def _extensions(message: Any) -> dict[str, Any]:
    return MessageToDict(message.extensions)


def _extension(message: Any, name: str) -> Any:
    # Reading the field of a Struct is twice as fast as its `__getitem__`.
    value = message.extensions.fields.get(name)
    return value and (value.string_value or message.extensions[name])
