"""What daprd POSTs to the route of an event, alone or in bulk, and what it wants to hear back.

Both HTTP modes receive the same; they differ in who serves it.
https://docs.dapr.io/reference/api/pubsub_api/
"""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from dapr_hero import events
from dapr_hero.events import CloudEvent, Outcome, Verdict

# Never DROP: daprd 1.18 looks a dropped entry up by its place in the whole batch among those of one route,
# and so dead-letters a wrong one, or panics. A rejected event is in the dead-letter topic by now.
_STATUS = {Verdict.STORED: "SUCCESS", Verdict.RETRY: "RETRY", Verdict.REJECT: "SUCCESS"}


class _Entry(msgspec.Struct, rename="camel"):
    entry_id: str
    event: msgspec.Raw


class _Bulk(msgspec.Struct):
    entries: list[_Entry]


class Delivery(NamedTuple):
    """The events of one POST. `entry_ids` is None for an event that came alone."""

    events: list[CloudEvent]
    entry_ids: list[str] | None


_bulk = msgspec.json.Decoder(_Bulk)


def read(body: bytes) -> Delivery:
    """The events in the body of a POST; what is no bulk envelope is taken as one event."""
    try:
        entries = _bulk.decode(body).entries
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Delivery([events.decode(body)], None)
    return Delivery([events.decode(entry.event) for entry in entries], [entry.entry_id for entry in entries])


def answer(delivery: Delivery, outcomes: Sequence[Outcome]) -> bytes:
    """The JSON that tells daprd what became of each event."""
    statuses = [_STATUS[outcome.verdict] for outcome in outcomes]
    if delivery.entry_ids is None:
        return msgspec.json.encode({"status": statuses[0]})
    pairs = zip(delivery.entry_ids, statuses, strict=True)
    return msgspec.json.encode({"statuses": [{"entryId": id, "status": status} for id, status in pairs]})
