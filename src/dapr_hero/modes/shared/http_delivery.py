"""The bodies that daprd POSTs to the route of an event, alone or in bulk, and the answers that it reads.

Both HTTP modes share them; they differ in the server.
https://docs.dapr.io/reference/api/pubsub_api/
"""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from dapr_hero.contract import events
from dapr_hero.contract.events import CloudEvent, Outcome
from dapr_hero.contract.items import NOT_JSON
from dapr_hero.modes.shared.unknown_path import retry_unknown_path


class _Entry(msgspec.Struct, rename="camel"):
    entry_id: msgspec.Raw = msgspec.Raw(b'""')
    event: msgspec.Raw = msgspec.Raw(b"")


class _Bulk(msgspec.Struct):
    entries: list[_Entry]


class Delivery(NamedTuple):
    """The events of one POST. `entry_ids` is None for an event that came alone."""

    events: list[CloudEvent]
    entry_ids: list[msgspec.Raw] | None


# What daprd says of a bulk envelope. The body cannot tell: an event may have an attribute `entries`.
_BULK_TYPE = "application/json"
_bulk = msgspec.json.Decoder(_Bulk)


def read(body: bytes, content_type: str, *, raw: bool = False) -> Delivery:
    """The events in the body of a POST.

    `raw`: the subscription is, so Dapr has put what was in the topic into an event of its own.
    """
    if raw:
        return Delivery([events.decode(events.unwrapped(body))], None)
    if not content_type.startswith(_BULK_TYPE):
        return Delivery([events.decode(body)], None)
    try:
        entries = _bulk.decode(body).entries
    except NOT_JSON:
        # One event can be nested too deep for the whole envelope. What is not answered for comes again, and
        # after the last try daprd moves each event to the dead letters alone, where the good ones are stored.
        return Delivery([], [])
    return Delivery([events.decode(entry.event) for entry in entries], [entry.entry_id for entry in entries])


def answer_on_unknown_path(body: bytes, content_type: str, path: str) -> bytes:
    """Return the answer to a POST on a path that no subscription of this version names."""
    delivery = read(body, content_type)
    return answer(delivery, retry_unknown_path(path, len(delivery.events)))


def answer(delivery: Delivery, outcomes: Sequence[Outcome]) -> bytes:
    """The JSON that tells daprd what became of each event."""
    # Never DROP: daprd 1.18 looks a dropped entry up by its place in the whole batch among those of one
    # route, and so dead-letters a wrong one, or panics. A rejected event is in the dead-letter topic by now.
    statuses = ["SUCCESS" if outcome.verdict.settled else "RETRY" for outcome in outcomes]
    if delivery.entry_ids is None:
        return msgspec.json.encode({"status": statuses[0]})
    pairs = zip(delivery.entry_ids, statuses, strict=True)
    return msgspec.json.encode({"statuses": [{"entryId": id, "status": status} for id, status in pairs]})
