"""CloudEvents in, versions of items out, and the outcomes that are told to Dapr."""

import re
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import Enum
from functools import partial
from typing import Any, NamedTuple

import msgspec

from dapr_hero import items
from dapr_hero.items import Malformed, Version


class _Attributes(msgspec.Struct):
    """What we read of a CloudEvent 1.0; whatever its sender put there, so of any type."""

    id: Any = None
    source: Any = None
    specversion: Any = None
    type: Any = None
    datacontenttype: Any = None
    time: Any = None
    traceparent: Any = None
    data: msgspec.Raw = msgspec.Raw(b"")  # the payload's JSON text


class CloudEvent(_Attributes):
    """What was read, and what we say of it ourselves, which no sender can.

    `fault` says why nothing could be read at all. `original` gives the whole event as it came, in structured
    JSON, or nothing where Dapr has not handed over all of it.
    """

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

_decoder = msgspec.json.Decoder(_Attributes)
_JSON = "application/json"
# The type of what `pack` makes.
PACK_TYPE = "events.v1"
# The type of the event in which `obituary` wraps what is no JSON object.
UNREADABLE_TYPE = "unreadable.v1"
# Of id, source and type, in characters. The id is part of what is stored.
MAX_ATTRIBUTE = 1024
# Senders count nanoseconds, which Python's own timestamps cut off.
_FRACTION_DIGITS = 9
_TIMESTAMP = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)[Tt ](?P<time>\d\d:\d\d:\d\d)(\.(?P<fraction>\d+))?"
    r"(?P<zone>[Zz]|[+-]\d\d:\d\d)",
    re.ASCII,
)
_NO_TIMESTAMP = "CloudEvent attribute time is not an RFC 3339 timestamp"
# As long as a traceparent is: https://www.w3.org/TR/trace-context/
_TRACEPARENT_CHARACTERS = 55


class _Pack(msgspec.Struct):
    events: list[msgspec.Raw]


class _Wrapper(msgspec.Struct):
    data_base64: bytes


_pack_decoder = msgspec.json.Decoder(_Pack)
_wrapper_decoder = msgspec.json.Decoder(_Wrapper)
_object_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])


def decode(raw: bytes | msgspec.Raw) -> CloudEvent:
    """The event in structured JSON. Never fails: what cannot be read is an event with a `fault`."""
    try:
        event = CloudEvent(*msgspec.structs.astuple(_decoder.decode(raw)))
    except items.NOT_JSON as error:
        event = CloudEvent(fault=f"not a CloudEvent: {error}")
    event.original = partial(bytes, raw)
    return event


def obituary(event: CloudEvent, source: str, reason: str) -> bytes:
    """The event as it came, with the reason of its end; what nobody can read, in an event of its own.

    Raises: Malformed when Dapr has not handed it over.
    """
    original = event.original()
    if not original:
        raise Malformed("Dapr has not handed over the whole event")
    try:
        original.decode()  # Members that we do not look at may be no UTF-8, which Dapr would alter.
        whole: dict[str, object] = {**_object_decoder.decode(original)}
    except items.NOT_JSON:
        whole = {**_made_up(source, UNREADABLE_TYPE, "application/octet-stream"), "data_base64": original}
    return msgspec.json.encode({**whole, "deadletterreason": reason})


def unwrapped(wrapper: bytes) -> bytes:
    """The bytes that an event carries; what carries none, as it is."""
    try:
        return _wrapper_decoder.decode(wrapper).data_base64
    except items.NOT_JSON:
        return wrapper


def pack(events: Sequence[CloudEvent], source: str, reason: str) -> bytes:
    """Readable events as one, so that a batch of them is published in one call. See `unpack`."""
    data = {"reason": reason, "events": [_essence(each) for each in events]}
    return items.encode({**_made_up(source, PACK_TYPE, _JSON), "data": data})


def unpack(event: CloudEvent) -> list[CloudEvent]:
    """The events that were packed. Raises: Malformed."""
    try:
        members = _pack_decoder.decode(event.data).events
    except items.NOT_JSON as error:
        raise Malformed(f"not a pack of events: {error}") from None
    if not members:  # To take it for one would be to forget an event that says something else.
        raise Malformed("not a pack of events: it is empty")
    if not all(bytes(member).startswith(b"{") for member in members):
        raise Malformed("not a pack of events: not all are objects")
    return [decode(member) for member in members]


def _made_up(source: str, type: str, content_type: str) -> dict[str, str]:
    """The attributes of an event that begins here."""
    return {
        "specversion": "1.0",
        "id": str(uuid.uuid4()),
        "source": source,
        "type": type,
        "time": datetime.now(UTC).isoformat(),
        "datacontenttype": content_type,
    }


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
        if "\0" in value:
            raise Malformed(f"CloudEvent attribute {name} cannot hold the character NUL")
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
    parts = _TIMESTAMP.fullmatch(time) if isinstance(time, str) else None
    if not parts:
        raise Malformed(_NO_TIMESTAMP)
    try:
        moment = datetime.fromisoformat(f"{parts['date']}T{parts['time']}{parts['zone'].upper()}")
        seconds = moment.astimezone(UTC).replace(tzinfo=None).isoformat()
    except (ValueError, OverflowError):
        raise Malformed(_NO_TIMESTAMP) from None
    return f"{seconds}.{parts['fraction'] or '':0<{_FRACTION_DIGITS}.{_FRACTION_DIGITS}}Z"
