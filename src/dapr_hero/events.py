"""CloudEvents in, versions of items out, and the outcomes that are told to Dapr."""

from datetime import UTC, datetime
from enum import Enum
from functools import partial
from typing import Any, NamedTuple

import msgspec

from dapr_hero import items
from dapr_hero.items import Malformed, Version


class CloudEvent(msgspec.Struct):
    """What we read of a CloudEvent 1.0; whatever its sender put there, so attributes of any type.

    `data` is the payload's JSON text. `fault` says why nothing could be read at all. `original` gives the
    whole event as it came, in structured JSON, or nothing where Dapr has not handed over all of it.
    """

    id: Any = None
    source: Any = None
    specversion: Any = None
    type: Any = None
    datacontenttype: Any = None
    time: Any = None
    traceparent: Any = None
    data: msgspec.Raw = msgspec.Raw(b"")
    fault: str = ""
    original: Any = bytes


class Verdict(Enum):
    """The three ways in which a handled event can end."""

    STORED = "stored"  # durable, or already superseded by a newer one
    RETRY = "retry"  # a dependency is down: not now
    REJECT = "reject"  # malformed: never; kept in the dead-letter topic


class Outcome(NamedTuple):
    verdict: Verdict
    reason: str = ""


STORED = Outcome(Verdict.STORED)

_decoder = msgspec.json.Decoder(CloudEvent)
_JSON = "application/json"


def decode(raw: bytes | msgspec.Raw) -> CloudEvent:
    """The event in structured JSON. Never fails: what cannot be read is an event with a `fault`."""
    try:
        event = _decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        event = CloudEvent(fault=f"not a CloudEvent: {error}")
    event.original = partial(bytes, raw)
    return event


def version(event: CloudEvent) -> Version:
    """The item that the event carries, as of the event. Raises: Malformed."""
    if event.fault:
        raise Malformed(event.fault)
    for name in ("id", "source", "specversion", "type"):
        value = getattr(event, name)
        if not isinstance(value, str) or not value:
            raise Malformed(f"CloudEvent attribute {name} is missing or not a text")
    if not _is_json(event.datacontenttype):
        raise Malformed(f"datacontenttype is not {_JSON}")
    return Version(items.parse(bytes(event.data)), f"{_utc(event.time)}/{event.id}")


def _is_json(content_type: Any) -> bool:
    if not isinstance(content_type, str):
        return False
    media_type = content_type.partition(";")[0].strip().lower()
    return media_type == _JSON or (media_type.startswith("application/") and media_type.endswith("+json"))


def _utc(time: Any) -> str:
    """The event's time in a form that sorts by code points; one without is older than any with."""
    if time is None:
        return "0000"
    try:
        moment = datetime.fromisoformat(time)
        if moment.tzinfo is None:
            raise ValueError
        return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
    except (TypeError, ValueError, OverflowError):
        raise Malformed("CloudEvent attribute time is not an RFC 3339 timestamp") from None
