"""The format in which daprd delivers a CloudEvent over gRPC: in parts, some of which may be missing.

daprd silently leaves out the data of a content type that is neither JSON nor text by its own rules, the
member `data_base64` in a bulk, and each of the five attributes with a separate field that is not a string.
https://github.com/dapr/dapr/blob/v1.18.3/pkg/runtime/pubsub/subscriptions.go
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import msgspec

from dapr_hero.contract.events import CloudEvent
from dapr_hero.contract.items import NOT_JSON

_WITHHELD = "daprd hands over only a part of this event; it comes whole as a dead letter"
_JSON = "application/json"
# The integers that a double holds exactly.
_LARGEST_INTEGER = 2**53

Extensions = Callable[[], Mapping[str, Any]]


def event(
    attributes: Mapping[str, str], data: bytes, time: Any, traceparent: Any, extensions: Extensions
) -> CloudEvent:
    """Return the event with these parts; `attributes` are the ones with a separate field.

    An empty field says nothing: daprd may have left out what the event has there. Such an event has a `fault`
    and no `original`, so that it is neither stored nor published as a dead letter. When its retries are used
    up, daprd moves it as it came to the dead letters, where the app reads it whole.
    """
    if not data or not all(attributes.values()):
        return CloudEvent(
            id=attributes["id"],
            source=attributes["source"],
            type=attributes["type"],
            traceparent=traceparent,
            fault=_WITHHELD,
        )
    return CloudEvent(
        **attributes,
        time=time,
        traceparent=traceparent,
        data=_json(attributes["datacontenttype"], data),
        original=partial(_structured, attributes, data, extensions),
    )


def _json(content_type: str, data: bytes) -> msgspec.Raw:
    """Return the JSON text of the data, which daprd has taken out of its quotes if it is a text."""
    if content_type == _JSON or not _is_text(content_type):
        return msgspec.Raw(data)
    return msgspec.Raw(msgspec.json.encode(data.decode(errors="replace")))


def _structured(attributes: Mapping[str, str], data: bytes, extensions: Extensions) -> bytes:
    """Return the event in structured JSON."""
    members = {name: _plain(value) for name, value in extensions().items()}
    return msgspec.json.encode({**members, **attributes, **_payload(attributes["datacontenttype"], data)})


def _payload(content_type: str, data: bytes) -> dict[str, object]:
    """Return the member that holds the data; only `data_base64` can hold bytes that do not fit their type."""
    try:
        if _is_text(content_type):
            return {"data": data.decode()}
        if _is_json(content_type):
            return {"data": msgspec.json.decode(data.decode(), type=msgspec.Raw)}
    except NOT_JSON:
        pass
    return {"data_base64": data}


def _plain(value: Any) -> Any:
    """Return the value with its whole numbers as integers: daprd's messages hold doubles only."""
    if isinstance(value, dict):
        return {name: _plain(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_plain(member) for member in value]
    if isinstance(value, float) and value.is_integer() and abs(value) <= _LARGEST_INTEGER:
        return int(value)
    return value


def _is_text(content_type: str) -> bool:
    """Return whether daprd takes the data for a text."""
    return content_type.lower().startswith("text/") or _media_type(content_type) == "application/xml"


def _is_json(content_type: str) -> bool:
    """Return whether daprd takes the data for JSON."""
    return _media_type(content_type) in (_JSON, "application/cloudevents+json")


def _media_type(content_type: str) -> str:
    """Return the type before the first semicolon, with the spaces that daprd does not remove."""
    return content_type.lower().partition(";")[0]
