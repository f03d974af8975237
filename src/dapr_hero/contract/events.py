"""CloudEvents in, versions of items out, and the outcomes that are reported to Dapr."""

import base64
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import Enum
from functools import partial
from typing import Any, NamedTuple

import msgspec

from dapr_hero.contract import items, timestamps
from dapr_hero.contract.items import Malformed, Version


class _Attributes(msgspec.Struct):
    """The members of a CloudEvent 1.0 that we read; a sender can put values of any type there."""

    id: Any = None
    source: Any = None
    specversion: Any = None
    type: Any = None
    datacontenttype: Any = None
    time: Any = None
    traceparent: Any = None
    data: msgspec.Raw = msgspec.Raw(b"")  # the payload's JSON text
    data_base64: Any = None


class CloudEvent(_Attributes):
    """An event with two members that no sender can set.

    `fault` is the reason why the event cannot be read. `original` returns the whole event as it came, in
    structured JSON, or b"" where Dapr has not handed over all of it.
    """

    fault: str = ""
    original: Any = bytes


class Verdict(Enum):
    """The possible outcomes of an event."""

    STORED = "stored"  # durable, or already superseded by a newer one
    PARKED = "parked"  # a dependency is down: kept in the parking topic, and comes again by itself
    REJECT = "reject"  # cannot be stored: kept as a dead letter
    RETRY = "retry"  # not kept anywhere: Dapr must deliver it again

    @property
    def settled(self) -> bool:
        """Return whether Dapr may forget the event."""
        return self is not Verdict.RETRY


class Outcome(NamedTuple):
    """The result of handling an event. The reason is for logs and for dead letters."""

    verdict: Verdict
    reason: str = ""


STORED = Outcome(Verdict.STORED)

_decoder = msgspec.json.Decoder(_Attributes)
_JSON = "application/json"
# The type of what `pack` makes.
PACK_TYPE = "events.v1"
# The type of the event in which `dead_letter_event` wraps an event that daprd would alter.
WRAPPED_TYPE = "wrapped.v1"
# Of id, source and type, in characters. The id is part of what is stored.
MAX_ATTRIBUTE = 1024
# As long as a traceparent is: https://www.w3.org/TR/trace-context/
_TRACEPARENT_CHARACTERS = 55
# daprd adds these attributes to a published event that lacks them.
_COMPLETED_BY_DAPRD = ("source", "specversion", "time", "type")
_ABSENT = (b"", b"null")


class _Pack(msgspec.Struct):
    events: list[msgspec.Raw]


class _Wrapper(msgspec.Struct):
    data_base64: bytes


_pack_decoder = msgspec.json.Decoder(_Pack)
_wrapper_decoder = msgspec.json.Decoder(_Wrapper)
_object_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])


def decode(raw: bytes | msgspec.Raw) -> CloudEvent:
    """Return the event in structured JSON. Never raises: an unreadable event has a `fault`."""
    try:
        event = CloudEvent(*msgspec.structs.astuple(_decoder.decode(raw)))
    except items.NOT_JSON as error:
        event = CloudEvent(fault=f"not a CloudEvent: {error}")
    event.original = partial(bytes, raw)
    return event


def dead_letter_event(event: CloudEvent, source: str, reason: str) -> bytes:
    """Return the event as it came, with the attribute `deadletterreason`.

    An event that daprd would alter on publication is wrapped in another one: an event that is not a JSON
    object in UTF-8, and an event without an attribute that daprd adds, which could make a good one of it.
    Raises: Malformed when Dapr has not handed over the whole event.
    """
    original = event.original()
    if not original:
        raise Malformed("Dapr has not handed over the whole event")
    whole = _unaltered(original) or {
        **_new_attributes(source, WRAPPED_TYPE, "application/octet-stream"),
        "data_base64": original,
    }
    return msgspec.json.encode({**whole, "deadletterreason": reason})


def _unaltered(original: bytes) -> dict[str, object] | None:
    """Return the members of an event that daprd publishes without a change to what it says."""
    try:
        original.decode()
        whole = _object_decoder.decode(original)
    except items.NOT_JSON:
        return None
    if any(bytes(whole.get(name, b"")) in _ABSENT for name in _COMPLETED_BY_DAPRD):
        return None
    return {**whole}


def unwrapped(wrapper: bytes) -> bytes:
    """Return the bytes that a wrapper event carries, or the input unchanged if it is not a wrapper."""
    try:
        return _wrapper_decoder.decode(wrapper).data_base64
    except items.NOT_JSON:
        return wrapper


def pack(events: Sequence[CloudEvent], source: str, reason: str) -> bytes:
    """Return one event that holds several readable ones, so that one call publishes them all. See `unpack`."""
    data = {"reason": reason, "events": [_reduced(each) for each in events]}
    return items.encode({**_new_attributes(source, PACK_TYPE, _JSON), "data": data})


def unpack(event: CloudEvent) -> list[CloudEvent]:
    """Return the events of a pack. Raises: Malformed."""
    try:
        members = _pack_decoder.decode(event.data).events
    except items.NOT_JSON as error:
        raise Malformed(f"not a pack of events: {error}") from None
    if not members:  # To take it for one would be to forget an event that says something else.
        raise Malformed("not a pack of events: it is empty")
    if not all(bytes(member).startswith(b"{") for member in members):
        raise Malformed("not a pack of events: not all are objects")
    return [decode(member) for member in members]


def _new_attributes(source: str, type: str, content_type: str) -> dict[str, str]:
    """Return the attributes of a new event."""
    return {
        "specversion": "1.0",
        "id": str(uuid.uuid4()),
        "source": source,
        "type": type,
        "time": datetime.now(UTC).isoformat(),
        "datacontenttype": content_type,
    }


def _reduced(event: CloudEvent) -> dict[str, object]:
    """Return only the attributes that determine the stored version, so that the size of a pack is bounded."""
    trace = event.traceparent
    traced = isinstance(trace, str) and len(trace) == _TRACEPARENT_CHARACTERS
    return {
        **{name: getattr(event, name) for name in ("id", "source", "specversion", "type", "time")},
        "datacontenttype": _JSON,
        "traceparent": trace if traced else None,
        "data": items.parse(_payload(event)),
    }


def version(event: CloudEvent) -> Version:
    """Return the version of the item that the event carries. Raises: Malformed."""
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
        raise Malformed("datacontenttype is not a JSON media type")
    return Version(items.parse(_payload(event)), f"{_moment(event.time)}/{event.id}")


def _payload(event: CloudEvent) -> bytes:
    """Return the payload's JSON text; `data` decides where both members are there. Raises: Malformed."""
    if event.data_base64 is None or bytes(event.data) not in _ABSENT:
        return bytes(event.data)
    try:
        return base64.b64decode(event.data_base64, validate=True)
    except (TypeError, ValueError):
        raise Malformed("data_base64 is not a Base64 text") from None


def _is_json(content_type: object) -> bool:
    """Return whether the data is JSON by the CloudEvents specification, as it is without a content type.

    https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md#31-handling-of-data
    """
    if content_type is None:
        return True
    if not isinstance(content_type, str):
        return False
    kind, _, subtype = content_type.partition(";")[0].strip().lower().partition("/")
    return bool(kind) and (subtype == "json" or subtype.endswith("+json"))


def _moment(time: object) -> str:
    """Return the event's time in a form that sorts; no time sorts before any time. Raises: Malformed."""
    if time is None:
        return ""
    try:
        return timestamps.sortable(time if isinstance(time, str) else "")
    except ValueError:
        raise Malformed("CloudEvent attribute time is not an RFC 3339 timestamp") from None
