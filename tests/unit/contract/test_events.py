import base64
import json
from typing import Any

import pytest

from dapr_hero.contract import events
from dapr_hero.contract.items import Malformed
from tests.events import event

DEEP = b"[" * 20_000 + b"]" * 20_000


def decoded(whole: Any) -> events.CloudEvent:
    return events.decode(json.dumps(whole).encode())


def test_an_event_is_the_version_of_an_item() -> None:
    item, stamp = events.version(decoded(event(id="w1", price=0.1) | {"id": "e1"}))
    assert (item.id, str(item.price)) == ("w1", "0.1")
    assert stamp == "2026-01-01T00:00:00.000000000Z/e1"


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z"),
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00.000001Z"),
        ("2026-01-01T02:00:00+02:00", "2026-01-01T00:00:00.5Z"),
        ("2025-12-31T23:30:00-01:00", "2026-01-01T00:30:01Z"),
        ("0999-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
        ("2026-01-01T00:00:00.000000001Z", "2026-01-01T00:00:00.00000001Z"),
        ("2026-01-01t00:00:00z", "2026-01-01T00:00:00.000000001Z"),
        (None, "0000-01-01T00:00:00+23:59"),
    ],
)
def test_stamps_sort_by_time(older: str | None, newer: str) -> None:
    stamps = [events.version(decoded(event() | {"time": time, "id": "e"})).stamp for time in (older, newer)]
    assert stamps[0] < stamps[1]


def test_of_two_events_of_one_time_the_ids_decide_whatever_their_order() -> None:
    first, second = (events.version(decoded(event() | {"id": id})).stamp for id in "ab")
    assert first < second


@pytest.mark.parametrize("name", ["id", "source", "specversion", "type"])
@pytest.mark.parametrize("value", [None, "", 5, [], {}])
def test_a_required_attribute_must_be_a_text(name: str, value: Any) -> None:
    with pytest.raises(Malformed, match=name):
        events.version(decoded(event() | {name: value}))


@pytest.mark.parametrize(
    "content_type",
    ["", 5, False, [], "json", "/json", "text/plain", "application/octet-stream", "application/xml"],
)
def test_the_content_must_be_json(content_type: Any) -> None:
    with pytest.raises(Malformed, match="datacontenttype"):
        events.version(decoded(event() | {"datacontenttype": content_type}))


@pytest.mark.parametrize(
    "content_type",
    [
        *("application/json; charset=utf-8", "application/json ; charset=utf-8", "Application/JSON"),
        *("application/x+json", "text/json", "image/x+JSON;v=1"),
    ],
)
def test_kinds_of_json_are_json(content_type: str) -> None:
    assert events.version(decoded(event() | {"datacontenttype": content_type})).item.id == "w1"


@pytest.mark.parametrize("absent", [{}, {"datacontenttype": None}])
def test_an_event_without_a_content_type_is_json(absent: dict[str, None]) -> None:
    whole = event()
    del whole["datacontenttype"]
    assert events.version(decoded(whole | absent)).item.id == "w1"


@pytest.mark.parametrize("data", [{}, {"data": None}])
def test_json_in_base64_is_json(data: dict[str, None]) -> None:
    whole = event(id="base64")
    payload = base64.b64encode(json.dumps(whole.pop("data")).encode()).decode()
    got = decoded(whole | data | {"data_base64": payload})
    assert events.version(got).item.id == "base64"
    [packed] = events.unpack(events.decode(events.pack([got], "tests", "why")))
    assert events.version(packed).item.id == "base64"


def test_data_decides_where_both_members_are_there() -> None:
    """As over gRPC, where daprd hands over only that one."""
    assert events.version(decoded(event() | {"data_base64": "e30="})).item.id == "w1"


@pytest.mark.parametrize("value", ["", "!", "e30", "é", 5, False, [], {}])
def test_data_that_is_not_base64_is_malformed(value: Any) -> None:
    with pytest.raises(Malformed, match="data"):
        events.version(decoded(event() | {"data": None, "data_base64": value}))


@pytest.mark.parametrize(
    "time",
    [
        *("", "yesterday", "2026-01-01", "2026-01-01T00:00:00", "2026-13-01T00:00:00Z", 5, []),
        *("20260101T000000Z", "2026-W01-1T00:00:00Z", "2026-01-01T00:00Z", "2026-01-01T00:00:00,5Z"),
        *("2026-01-01T23:59:60", "2026-01-01T12:59:60Z", "2026-01-01T00:00:00Z\n"),
    ],
)
def test_a_time_that_is_none_is_malformed(time: Any) -> None:
    with pytest.raises(Malformed, match="time"):
        events.version(decoded(event() | {"time": time}))


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"5", b"null", b"\xff\xfe", b'"x"'])
def test_a_message_that_is_no_event_has_a_fault(raw: bytes) -> None:
    with pytest.raises(Malformed, match="not a CloudEvent"):
        events.version(events.decode(raw))


def test_an_event_without_data_is_malformed() -> None:
    whole = event()
    del whole["data"]
    with pytest.raises(Malformed, match="data"):
        events.version(decoded(whole))


@pytest.mark.parametrize("name", ["id", "source", "specversion", "type"])
def test_an_attribute_holds_no_nul(name: str) -> None:
    """The id is part of the stamp, and PostgreSQL's texts hold none."""
    with pytest.raises(Malformed, match=name):
        events.version(decoded(event() | {name: "a\0b"}))


@pytest.mark.parametrize("value", ["x", 5, None, []])
@pytest.mark.parametrize("name", ["fault", "original"])
def test_a_sender_cannot_say_what_we_say_of_an_event(name: str, value: Any) -> None:
    whole = event() | {name: value}
    got = decoded(whole)
    assert events.version(got).item.id == "w1"
    assert json.loads(got.original()) == whole


def test_json_that_is_nested_too_deep_is_no_event() -> None:
    assert events.decode(b'{"x":' + DEEP + b"}").fault.startswith("not a CloudEvent")


@pytest.mark.parametrize(
    "raw", [b"no event", b"[]", b'{"x":"\xff"}', b'{"x":"\\ud800"}', b'{"x":' + DEEP + b"}"]
)
def test_bytes_that_are_no_json_object_are_wrapped_and_unwrapped_unchanged(raw: bytes) -> None:
    wrapper = events.dead_letter_event(events.decode(raw), "tests", "why")
    assert json.loads(wrapper)["type"] == events.WRAPPED_TYPE
    assert json.loads(wrapper)["deadletterreason"] == "why"
    assert events.unwrapped(wrapper) == raw


@pytest.mark.parametrize(
    ("name", "values"),
    [(name, [None, ...]) for name in ("source", "specversion", "type")] + [("time", [...])],
)
def test_an_event_that_daprd_would_complete_is_wrapped(name: str, values: list[Any]) -> None:
    for value in values:
        whole = event(price="x") | {name: value}
        whole = {name: value for name, value in whole.items() if value is not ...}
        wrapper = events.dead_letter_event(decoded(whole), "tests", "why")
        assert json.loads(events.unwrapped(wrapper)) == whole
        assert "data" not in json.loads(wrapper)


def test_an_event_only_gets_the_reason() -> None:
    whole = event(price="x")
    assert json.loads(events.dead_letter_event(decoded(whole), "tests", "why")) == whole | {
        "deadletterreason": "why"
    }


@pytest.mark.parametrize("members", [[], [5], [event(), None], ["x"]])
def test_a_pack_of_anything_but_events_is_none(members: list[Any]) -> None:
    with pytest.raises(Malformed, match="pack"):
        events.unpack(decoded(event() | {"data": {"events": members}}))
