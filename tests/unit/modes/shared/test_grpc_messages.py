"""The messages of Dapr's gRPC API, from and to the types of this project."""

import json
from typing import Any

import grpc
import pytest
from dapr.proto import appcallback_v1
from google.protobuf.json_format import MessageToDict

from dapr_hero.contract.errors import Refused, Unavailable
from dapr_hero.contract.events import STORED, Outcome, Verdict
from dapr_hero.contract.kinds import KINDS
from dapr_hero.contract.routing import Bulk, Subscription, Topic
from dapr_hero.modes.shared import grpc_messages
from dapr_hero.sidecar.interface import Conflict, StateEntry
from tests import handover
from tests.events import event

CODE = grpc.StatusCode
STATUS = appcallback_v1.TopicEventResponse
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01"


def request(**attributes: Any) -> Any:
    fields = handover.message(event(**attributes))
    assert fields is not None
    return appcallback_v1.TopicEventRequest(**fields)


def test_a_message_has_all_that_the_event_says() -> None:
    sent = event(traceparent=TRACEPARENT, more={"deep": [1, "two", None]})
    fields = handover.entry(sent)
    assert fields is not None
    found = grpc_messages.event(appcallback_v1.TopicEventCERequest(**fields))
    for name in ("id", "source", "type", "specversion", "datacontenttype", "time", "traceparent"):
        assert getattr(found, name) == sent[name], name
    assert (json.loads(bytes(found.data)), found.fault) == (sent["data"], "")
    assert json.loads(found.original()) == sent


@pytest.mark.parametrize("value", [None, "", "yesterday", 7, True, {"a": 1}])
def test_the_time_and_the_trace_can_be_of_any_type(value: Any) -> None:
    found = grpc_messages.event(request(time=value, traceparent=value))
    # A Struct is not a dict, but compares like one.
    assert (found.time, found.traceparent) == (value, value)


def test_each_entry_of_a_bulk_is_settled_or_retried_and_never_dropped() -> None:
    verdicts = list(Verdict)
    response: Any = grpc_messages.bulk_response(
        [each.value for each in verdicts], [Outcome(each) for each in verdicts]
    )
    assert {each.entry_id: each.status for each in response.statuses} == {
        "stored": STATUS.SUCCESS,
        "parked": STATUS.SUCCESS,
        "reject": STATUS.SUCCESS,
        "retry": STATUS.RETRY,
    }
    with pytest.raises(ValueError, match="shorter"):
        grpc_messages.bulk_response(["1", "2"], [STORED])


def test_a_subscription_is_registered_with_all_that_it_says() -> None:
    whole = Subscription(Topic("pubsub", "orders"), "/rest", KINDS[:1], "refused", Bulk(20, 3), raw=True)
    assert MessageToDict(grpc_messages.registration(whole)) == {
        "pubsubName": "pubsub",
        "topic": "orders",
        "metadata": {"rawPayload": "true"},
        "deadLetterTopic": "refused",
        "routes": {
            "rules": [{"match": 'event.type == "widget.v1"', "path": "/widgets.v1"}],
            "default": "/rest",
        },
        "bulkSubscribe": {"enabled": True, "maxMessagesCount": 20, "maxAwaitDurationMs": 3},
    }
    single = grpc_messages.registration(Subscription(Topic("pubsub", "orders"), "/rest"))
    assert not single.HasField("bulk_subscribe")


def test_an_entry_is_saved_only_over_the_version_that_was_read() -> None:
    assert MessageToDict(grpc_messages.state_item(StateEntry("gadget:g", b"{}", "41"))) == {
        "key": "gadget:g",
        "value": "e30=",
        "etag": {"value": "41"},
        "options": {"concurrency": "CONCURRENCY_FIRST_WRITE"},
    }


@pytest.mark.parametrize(
    ("code", "kind"),
    [(CODE.ABORTED, Conflict), (CODE.INVALID_ARGUMENT, Refused), (CODE.UNAVAILABLE, Unavailable)],
)
def test_a_status_of_daprd_is_raised_as_the_failure_that_it_means(
    code: grpc.StatusCode, kind: type[Exception]
) -> None:
    with pytest.raises((Conflict, Refused, Unavailable)) as caught:
        grpc_messages.raise_failure("statestore", code, None)
    assert caught.type is kind
