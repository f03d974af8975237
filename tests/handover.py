"""The gRPC messages in which daprd 1.18.3 hands over an event, by the rules of its source.

https://github.com/dapr/dapr/blob/v1.18.3/pkg/runtime/pubsub/subscriptions.go
https://github.com/dapr/components-contrib/blob/v1.18.4/contenttype/utils.go
https://github.com/dapr/components-contrib/blob/v1.18.4/pubsub/envelope.go
tests/platform/test_handover.py holds them against the real daprd.
"""

import base64
import json
from collections.abc import Mapping
from typing import Any

from dapr.proto import appcallback_v1
from google.protobuf.json_format import ParseDict

Event = Mapping[str, Any]

FIELDS = {
    "id": "id",
    "source": "source",
    "type": "type",
    "specversion": "spec_version",
    "datacontenttype": "data_content_type",
}
# daprd writes an integer below this bound without an exponent.
_EXPONENT_FROM = 1e21


def entry(event: Event) -> dict[str, Any] | None:
    """Return the fields of an event in a bulk; None stands for an entry without any field."""
    fields = _attributes(event)
    data = event.get("data")
    if data is not None:
        if is_text(fields["data_content_type"]):
            if not isinstance(data, str):
                return None
            fields["data"] = data.encode()
        elif _is_json(fields["data_content_type"]):
            fields["data"] = _marshalled(data)
    return fields


def message(event: Event) -> dict[str, Any] | None:
    """Return the fields of an event that comes alone; for None daprd sends nothing, and retries in vain."""
    encoded = event.get("data_base64")
    if encoded is None:
        return entry(event)
    try:
        data = base64.b64decode(encoded.replace("\r", "").replace("\n", ""), validate=True)
    except (AttributeError, ValueError):
        return None
    return {**_attributes(event), "data": data}


def is_whole(fields: Mapping[str, Any] | None) -> bool:
    """Return whether a message holds its whole event."""
    return bool(fields and fields.get("data") and all(fields[name] for name in FIELDS.values()))


def as_doubles(value: Any) -> Any:
    """Return a JSON value as daprd has read it, with doubles for numbers, and whole ones as integers."""
    if isinstance(value, Mapping):
        return {name: as_doubles(member) for name, member in value.items()}
    if isinstance(value, list):
        return [as_doubles(member) for member in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        number = float(value)
        return int(number) if number.is_integer() and abs(number) < _EXPONENT_FROM else number
    return value


def published(event: Event, topic: str, pubsub: str) -> dict[str, Any]:
    """Return the event that is in the topic after an app has published this one."""
    completed = {"source": "Dapr", "type": "com.dapr.event.sent", "specversion": "1.0"}
    trace = {} if "traceid" in event else {"traceid": "", "traceparent": ""}
    return {
        "time": "2026-01-01T00:00:00Z",
        "tracestate": "",
        **event,
        **{name: value for name, value in completed.items() if event.get(name) is None},
        **trace,
        "topic": topic,
        "pubsubname": pubsub,
    }


def is_text(content_type: str) -> bool:
    return content_type.lower().startswith("text/") or _is(content_type, "application/xml")


def _is_json(content_type: str) -> bool:
    return _is(content_type, "application/json") or _is(content_type, "application/cloudevents+json")


def _is(content_type: str, expected: str) -> bool:
    return content_type.lower().split(";")[0] == expected


def _attributes(event: Event) -> dict[str, Any]:
    texts = {name: event.get(name) for name in FIELDS}
    fields: dict[str, Any] = {
        FIELDS[name]: text if isinstance(text, str) else "" for name, text in texts.items()
    }
    rest = {name: value for name, value in event.items() if name not in (*FIELDS, "data", "data_base64")}
    fields["extensions"] = ParseDict(as_doubles(rest), appcallback_v1.TopicEventRequest().extensions)
    return fields


def _marshalled(data: Any) -> bytes:
    return json.dumps(as_doubles(data), ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
