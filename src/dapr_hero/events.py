"""CloudEvents in, versions of items out, and the outcomes that are told to Dapr."""

import uuid
from collections.abc import Sequence
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
    """The ways in which the delivery of an event can end."""

    STORED = "stored"  # durable, or already superseded by a newer one
    PARKED = "parked"  # a dependency is down: kept in the parking topic, and comes again by itself
    REJECT = "reject"  # cannot be stored: kept as a dead letter
    RETRY = "retry"  # not kept anywhere: Dapr must deliver it again

    @property
    def settled(self) -> bool:
        """Whether Dapr may forget the event."""
        return self is not Verdict.RETRY


class Outcome(NamedTuple):
    verdict: Verdict
    reason: str = ""


STORED = Outcome(Verdict.STORED)

_decoder = msgspec.json.Decoder(CloudEvent)
_JSON = "application/json"
# The type of what `pack` makes.
PACK_TYPE = "events.v1"
# Of id, source and type, in characters. The id is part of what is stored.
MAX_ATTRIBUTE = 1024
# As long as a traceparent is: https://www.w3.org/TR/trace-context/
_TRACEPARENT_CHARACTERS = 55


class _Pack(msgspec.Struct):
    events: list[msgspec.Raw]


_pack_decoder = msgspec.json.Decoder(_Pack)


def decode(raw: bytes | msgspec.Raw) -> CloudEvent:
    """The event in structured JSON. Never fails: what cannot be read is an event with a `fault`."""
    try:
        event = _decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        event = CloudEvent(fault=f"not a CloudEvent: {error}")
    event.original = partial(bytes, raw)
    return event


def with_attributes(event: CloudEvent, **attributes: str) -> bytes:
    """The whole event as it came, with more attributes. Raises: Malformed when that is not to be had."""
    try:
        whole = msgspec.json.decode(event.original(), type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Malformed(f"the event cannot be given back: {error}") from None
    return msgspec.json.encode({**whole, **attributes})


def pack(events: Sequence[CloudEvent], source: str, reason: str) -> bytes:
    """Readable events as one, so that a batch of them is published in one call. See `unpack`."""
    now = datetime.now(UTC).isoformat()
    data = {"reason": reason, "events": [_essence(each) for each in events]}
    attributes = {"specversion": "1.0", "id": str(uuid.uuid4()), "source": source, "type": PACK_TYPE}
    return items.encode({**attributes, "time": now, "datacontenttype": _JSON, "data": data})


def unpack(event: CloudEvent) -> list[CloudEvent]:
    """The events that were packed. Raises: Malformed."""
    try:
        members = _pack_decoder.decode(event.data).events
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Malformed(f"not a pack of events: {error}") from None
    return [decode(member) for member in members]


def _essence(event: CloudEvent) -> dict[str, object]:
    """All that decides about the event's item, so that a pack has a bound, whatever else a sender adds."""
    trace = event.traceparent
    traced = isinstance(trace, str) and len(trace) == _TRACEPARENT_CHARACTERS
    return {
        **{name: getattr(event, name) for name in ("id", "source", "specversion", "type", "time")},
        "datacontenttype": _JSON,
        "traceparent": trace if traced else None,
        "data": items.parse(bytes(event.data)),
    }


def version(event: CloudEvent) -> Version:
    """The item that the event carries, as of the event. Raises: Malformed."""
    if event.fault:
        raise Malformed(event.fault)
    for name in ("id", "source", "specversion", "type"):
        value = getattr(event, name)
        if not isinstance(value, str) or not value:
            raise Malformed(f"CloudEvent attribute {name} is missing or not a text")
        if len(value) > MAX_ATTRIBUTE:
            raise Malformed(f"CloudEvent attribute {name} has more than {MAX_ATTRIBUTE} characters")
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
