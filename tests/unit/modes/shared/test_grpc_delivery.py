"""An event that daprd delivers in parts is whole again, or is marked as incomplete."""

import base64
import json
from typing import Any

import pytest

from dapr_hero.contract.events import CloudEvent
from dapr_hero.modes.shared import grpc_delivery

ATTRIBUTES = {
    "id": "e1",
    "source": "tests",
    "type": "widget.v1",
    "specversion": "1.0",
    "datacontenttype": "application/json",
}
BROKEN_TEXT = b"caf\xe9"


def delivered(
    data: bytes = b"{}",
    content_type: str = ATTRIBUTES["datacontenttype"],
    extensions: dict[str, Any] | None = None,
    **attributes: str,
) -> CloudEvent:
    whole = {**ATTRIBUTES, "datacontenttype": content_type, **attributes}
    return grpc_delivery.event(whole, data, "a time", "a trace", lambda: extensions or {})


def original(event: CloudEvent) -> dict[str, Any]:
    whole: dict[str, Any] = json.loads(event.original())
    return whole


def encoded(data: bytes) -> dict[str, str]:
    return {"data_base64": base64.b64encode(data).decode()}


def test_the_parts_are_one_event() -> None:
    event = delivered(b'{"id": "w1"}', extensions={"subject": "w1", "time": "a time"})
    for name, value in ATTRIBUTES.items():
        assert getattr(event, name) == value, name
    assert (event.time, event.traceparent, event.fault) == ("a time", "a trace", "")
    assert bytes(event.data) == b'{"id": "w1"}'
    assert original(event) == {**ATTRIBUTES, "subject": "w1", "time": "a time", "data": {"id": "w1"}}


@pytest.mark.parametrize("missing", [{"data": b""}, *({name: ""} for name in ATTRIBUTES)])
def test_an_event_with_an_empty_part_is_at_fault_and_has_no_original(missing: dict[str, Any]) -> None:
    changed = {"content_type" if name == "datacontenttype" else name: each for name, each in missing.items()}
    event = delivered(**changed)
    assert "only a part of this event" in event.fault
    assert event.original() == b""
    # For the logs, and for the trace.
    said = {name: value for name, value in ATTRIBUTES.items() if name in ("id", "source", "type")}
    assert {name: getattr(event, name) for name in said} == {
        name: missing.get(name, value) for name, value in said.items()
    }
    assert event.traceparent == "a trace"


@pytest.mark.parametrize("content_type", ["text/plain", "Text/JSON", "application/xml; charset=utf-8"])
def test_a_text_is_in_quotes_again(content_type: str) -> None:
    event = delivered(b'say "hi"', content_type)
    assert json.loads(bytes(event.data)) == original(event)["data"] == 'say "hi"'
    broken = delivered(BROKEN_TEXT, content_type)
    assert json.loads(bytes(broken.data)) == "caf\ufffd"
    assert original(broken).items() >= encoded(BROKEN_TEXT).items()


@pytest.mark.parametrize(
    ("content_type", "data", "member"),
    [
        ("application/json", b"[1]", {"data": [1]}),
        ("Application/JSON;charset=utf-8", b"[1]", {"data": [1]}),
        ("application/cloudevents+json", b"[1]", {"data": [1]}),
        ("application/json", b"[1", encoded(b"[1")),
        ("application/json", b'"\xe9"', encoded(b'"\xe9"')),
        ("application/json ;charset=utf-8", b"[1]", encoded(b"[1]")),
        ("application/vnd.acme+json", b"[1]", encoded(b"[1]")),
        ("application/octet-stream", b"\x00\xff", encoded(b"\x00\xff")),
    ],
)
def test_data_that_is_not_json_for_daprd_is_kept_byte_for_byte(
    content_type: str, data: bytes, member: dict[str, Any]
) -> None:
    event = delivered(data, content_type)
    assert bytes(event.data) == data
    assert original(event) == {**ATTRIBUTES, "datacontenttype": content_type, **member}


def test_whole_numbers_of_extensions_are_integers_as_far_as_a_double_holds_them() -> None:
    numbers = {"more": [5.0, 0.5, {"deep": -(2.0**53)}], "large": 2.0**53 + 2, "flag": True}
    text = delivered(extensions=numbers).original().decode()
    for member in ('"more":[5,0.5,{"deep":-9007199254740992}]', '"flag":true'):
        assert member in text
    assert type(json.loads(text)["large"]) is float


def test_an_extension_cannot_replace_an_attribute_or_the_data() -> None:
    event = delivered(extensions={"id": "forged", "data": "forged"})
    assert original(event) == {**ATTRIBUTES, "data": {}}
