import json
from base64 import b64encode
from typing import Any

import pytest

from dapr_hero.contract.events import CloudEvent
from dapr_hero.modes.shared import grpc_delivery

JSON = "application/json"


def received(data: bytes, content_type: str = JSON, extensions: dict[str, Any] | None = None) -> CloudEvent:
    attributes = {
        "id": "1",
        "source": "me",
        "type": "widget.v1",
        "specversion": "1.0",
        "datacontenttype": content_type,
    }
    return grpc_delivery.event(attributes, data, None, None, lambda: extensions or {})


def test_json_is_the_payload_and_the_data_of_the_original() -> None:
    event = received(b'{"price": 0.10}')
    assert bytes(event.data) == b'{"price": 0.10}'
    assert b'"data":{"price": 0.10}' in event.original()


def test_a_text_is_put_back_into_its_quotes() -> None:
    event = received(b"hello", "text/plain")
    assert bytes(event.data) == b'"hello"'
    assert json.loads(event.original())["data"] == "hello"


@pytest.mark.parametrize(
    ("data", "content_type"), [(b"\xff", JSON), (b"{", JSON), (b"\xff", "text/plain"), (b"x", "image/png")]
)
def test_bytes_that_do_not_fit_their_type_are_kept_as_base64(data: bytes, content_type: str) -> None:
    assert json.loads(received(data, content_type).original())["data_base64"] == b64encode(data).decode()


@pytest.mark.parametrize("missing", ["id", "source", "type", "specversion", "datacontenttype", "data"])
def test_an_event_that_daprd_has_cut_has_a_fault_and_no_original(missing: str) -> None:
    attributes = dict.fromkeys(("id", "source", "type", "specversion", "datacontenttype"), "x")
    data = b"" if missing == "data" else b"{}"
    event = grpc_delivery.event(attributes | {missing: ""}, data, None, None, dict)
    assert event.fault
    assert event.original() == b""


def test_whole_numbers_of_extensions_are_integers_again() -> None:
    exact, inexact = 2.0**53, 2.0**54
    original = received(
        b"{}", extensions={"a": 1.0, "b": [2.0, 0.5], "c": {"d": exact}, "e": inexact}
    ).original()
    assert b'"a":1,' in original
    assert b'"b":[2,0.5]' in original
    assert b'"d":9007199254740992}' in original
    assert isinstance(json.loads(original)["e"], float)


def test_an_extension_cannot_replace_an_attribute() -> None:
    assert json.loads(received(b"{}", extensions={"id": "forged", "data": "x"}).original()) == {
        "id": "1",
        "source": "me",
        "type": "widget.v1",
        "specversion": "1.0",
        "datacontenttype": JSON,
        "data": {},
    }
