"""The format in which daprd delivers events over HTTP, alone or in bulk, and the responses that it reads.

https://docs.dapr.io/reference/api/pubsub_api/
"""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
from starlette.requests import Request
from starlette.responses import Response

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
    """The events of one POST. `entry_ids` is None if it holds a single event, not a bulk."""

    events: list[CloudEvent]
    entry_ids: list[msgspec.Raw] | None


# The content type of a bulk. The body does not tell it apart: an event may have an attribute `entries`.
_BULK_TYPE = "application/json"
_bulk = msgspec.json.Decoder(_Bulk)


def read(body: bytes, content_type: str, *, raw: bool = False) -> Delivery:
    """Return the events in the body of a POST.

    `raw` tells that the subscription is raw: daprd has wrapped the message of the topic in another event.
    """
    if raw:
        return Delivery([events.decode(events.unwrapped(body))], None)
    if not content_type.startswith(_BULK_TYPE):
        return Delivery([events.decode(body)], None)
    try:
        entries = _bulk.decode(body).entries
    except NOT_JSON:
        # One event that is nested too deeply makes the whole envelope unreadable. Entries without a status are
        # redelivered; after the last retry daprd moves each event to the dead-letter topic on its own, where
        # the good ones are stored.
        return Delivery([], [])
    return Delivery([events.decode(entry.event) for entry in entries], [entry.entry_id for entry in entries])


async def received(request: Request, *, raw: bool = False) -> Delivery:
    """Return the events of a request; see `read`."""
    return read(await request.body(), request.headers.get("content-type", ""), raw=raw)


def response(delivery: Delivery, outcomes: Sequence[Outcome]) -> Response:
    """Return the response that reports the outcomes, in the order of the events."""
    return Response(statuses(delivery, outcomes), media_type="application/json")


async def unknown_path_response(request: Request) -> Response:
    """Return the response to a POST on a path that no subscription of this version names."""
    delivery = await received(request)
    return response(delivery, retry_unknown_path(request.url.path, len(delivery.events)))


def statuses(delivery: Delivery, outcomes: Sequence[Outcome]) -> bytes:
    """Return the JSON that reports the outcome of each event to daprd."""
    # Never DROP: daprd 1.18 looks up a dropped entry by its index in the whole batch among the entries of one
    # route, so it dead-letters the wrong one, or panics. A rejected event is already a dead letter.
    texts = ["SUCCESS" if outcome.verdict.settled else "RETRY" for outcome in outcomes]
    if delivery.entry_ids is None:
        return msgspec.json.encode({"status": texts[0]})
    pairs = zip(delivery.entry_ids, texts, strict=True)
    return msgspec.json.encode({"statuses": [{"entryId": id, "status": text} for id, text in pairs]})
