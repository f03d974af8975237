import grpc
import msgspec
import pytest
from dapr.proto import appcallback_v1
from google.protobuf.struct_pb2 import Struct

from dapr_hero.contract.errors import Refused, Unavailable
from dapr_hero.contract.events import STORED, Outcome, Verdict
from dapr_hero.contract.routing import subscriptions
from dapr_hero.modes.shared import grpc_messages
from dapr_hero.settings import Settings
from dapr_hero.sidecar.interface import Conflict, StateEntry

STATUS = appcallback_v1.TopicEventResponse


def test_an_event_has_its_fields_and_its_extensions() -> None:
    extensions = Struct()
    extensions.update({"time": "2026-01-01T00:00:00Z", "traceparent": "00-a-b-01", "size": 3})
    message = appcallback_v1.TopicEventRequest(
        id="1",
        source="me",
        type="widget.v1",
        spec_version="1.0",
        data_content_type="application/json",
        data=b'{"id":"w"}',
        extensions=extensions,
    )

    event = grpc_messages.event(message)

    assert (event.id, event.source, event.type, event.specversion) == ("1", "me", "widget.v1", "1.0")
    assert (event.time, event.traceparent) == ("2026-01-01T00:00:00Z", "00-a-b-01")
    assert msgspec.json.decode(event.original())["size"] == 3


@pytest.mark.parametrize("verdict", Verdict)
def test_only_a_retry_is_reported_as_one_and_nothing_is_dropped(verdict: Verdict) -> None:
    expected = STATUS.RETRY if verdict is Verdict.RETRY else STATUS.SUCCESS
    assert grpc_messages.status(Outcome(verdict)) == expected


def test_a_bulk_response_has_each_entry_with_its_own_outcome() -> None:
    response = grpc_messages.bulk_response(["a", "b"], [STORED, Outcome(Verdict.RETRY)])
    assert [(each.entry_id, each.status) for each in response.statuses] == [  # type: ignore[attr-defined]
        ("a", STATUS.SUCCESS),
        ("b", STATUS.RETRY),
    ]


def test_a_registration_has_the_rules_and_the_bulk_of_its_subscription() -> None:
    fresh, parked, *_ = subscriptions(Settings().topics)

    entry = grpc_messages.registration(fresh)
    assert [(rule.match, rule.path) for rule in entry.routes.rules] == [
        (rule.match, rule.path) for rule in fresh.rules
    ]
    assert (entry.routes.default, entry.dead_letter_topic) == ("/products.v1", "inventory-dead-letters")
    assert (entry.bulk_subscribe.enabled, entry.bulk_subscribe.max_messages_count) == (True, 500)
    plain = grpc_messages.registration(parked)
    assert (plain.metadata, plain.bulk_subscribe.enabled) == ({"rawPayload": "true"}, False)


def test_an_entry_is_saved_only_if_its_etag_is_current() -> None:
    item = grpc_messages.state_item(StateEntry("k", b"v", "7"))
    assert (item.key, item.value, item.etag.value) == ("k", b"v", "7")
    assert item.options.concurrency == item.options.CONCURRENCY_FIRST_WRITE


@pytest.mark.parametrize(
    ("code", "failure"),
    [
        (grpc.StatusCode.ABORTED, Conflict),
        (grpc.StatusCode.INVALID_ARGUMENT, Refused),
        (grpc.StatusCode.UNAVAILABLE, Unavailable),
    ],
)
def test_a_status_of_daprd_is_one_of_three_failures(code: grpc.StatusCode, failure: type[Exception]) -> None:
    with pytest.raises(failure):
        grpc_messages.raise_failure("statestore", code, "details")
