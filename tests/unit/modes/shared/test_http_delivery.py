"""The bodies of daprd's POSTs, and the responses that report the outcomes."""

import json

import msgspec
import pytest

from dapr_hero.contract.events import STORED, Outcome, Verdict
from dapr_hero.modes.shared import http_delivery
from dapr_hero.modes.shared.unknown_path import retry_unknown_path

EVENT = {"id": "e1", "source": "s", "specversion": "1.0", "type": "widget.v1", "data": {"id": "w1"}}
BULK = json.dumps({"entries": [{"entryId": str(n), "event": EVENT | {"id": f"e{n}"}} for n in range(3)]})


def test_a_cloudevent_is_a_single_event_even_with_an_attribute_entries() -> None:
    body = json.dumps(EVENT | {"entries": []}).encode()
    delivery = http_delivery.read(body, "application/cloudevents+json")
    assert [each.id for each in delivery.events] == ["e1"]
    assert http_delivery.statuses(delivery, [STORED]) == b'{"status":"SUCCESS"}'


def test_each_entry_of_a_bulk_gets_its_status() -> None:
    delivery = http_delivery.read(BULK.encode(), "application/json; charset=utf-8")
    outcomes = [Outcome(verdict) for verdict in (Verdict.STORED, Verdict.RETRY, Verdict.REJECT)]
    statuses = msgspec.json.decode(http_delivery.statuses(delivery, outcomes))["statuses"]
    assert [each["entryId"] for each in statuses] == ["0", "1", "2"]
    assert [each["status"] for each in statuses] == ["SUCCESS", "RETRY", "SUCCESS"]


@pytest.mark.parametrize("body", [b"", b"[]", b'{"entries": 1}', b"[" * 100_000, b"\xff"])
def test_the_entries_of_an_unreadable_bulk_get_no_status(body: bytes) -> None:
    delivery = http_delivery.read(body, "application/json")
    assert http_delivery.statuses(delivery, []) == b'{"statuses":[]}'


def test_a_raw_message_is_taken_out_of_its_wrapper() -> None:
    wrapper = msgspec.json.encode({"data_base64": json.dumps(EVENT).encode()})
    [event] = http_delivery.read(wrapper, "application/cloudevents+json", raw=True).events
    assert event.id == "e1"


def test_events_on_an_unknown_path_are_retried() -> None:
    outcomes = retry_unknown_path("/future.v1", 2)
    assert [each.verdict for each in outcomes] == [Verdict.RETRY, Verdict.RETRY]
