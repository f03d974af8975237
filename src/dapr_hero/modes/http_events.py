"""What daprd POSTs to the route of an event, alone or in bulk, and what it wants to hear back.

Both HTTP modes receive the same; they differ in who serves it.
https://docs.dapr.io/reference/api/pubsub_api/
"""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from dapr_hero import events
from dapr_hero.events import CloudEvent, Outcome


class _Entry(msgspec.Struct, rename="camel"):
    entry_id: str
    event: msgspec.Raw


class _Bulk(msgspec.Struct):
    entries: list[_Entry]


class Delivery(NamedTuple):
    """The events of one POST. `entry_ids` is None for an event that came alone."""

    events: list[CloudEvent]
    entry_ids: list[str] | None


class _Wrapped(msgspec.Struct):
    data_base64: bytes


_wrapped = msgspec.json.Decoder(_Wrapped)
_bulk = msgspec.json.Decoder(_Bulk)


def read(body: bytes, *, raw: bool = False) -> Delivery:
    """The events in the body of a POST; what is no bulk envelope is taken as one event.

    `raw`: the subscription is, so Dapr has put what was in the topic into an event of its own.
    """
    if raw:
        return Delivery([events.decode(_unwrapped(body))], None)
    try:
        entries = _bulk.decode(body).entries
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Delivery([events.decode(body)], None)
    return Delivery([events.decode(entry.event) for entry in entries], [entry.entry_id for entry in entries])


def answer(delivery: Delivery, outcomes: Sequence[Outcome]) -> bytes:
    """The JSON that tells daprd what became of each event."""
    # Never DROP: daprd 1.18 looks a dropped entry up by its place in the whole batch among those of one
    # route, and so dead-letters a wrong one, or panics. A rejected event is in the dead-letter topic by now.
    statuses = ["SUCCESS" if outcome.verdict.settled else "RETRY" for outcome in outcomes]
    if delivery.entry_ids is None:
        return msgspec.json.encode({"status": statuses[0]})
    pairs = zip(delivery.entry_ids, statuses, strict=True)
    return msgspec.json.encode({"statuses": [{"entryId": id, "status": status} for id, status in pairs]})


def _unwrapped(body: bytes) -> bytes:
    try:
        return _wrapped.decode(body).data_base64
    except (msgspec.DecodeError, UnicodeDecodeError):
        return body
