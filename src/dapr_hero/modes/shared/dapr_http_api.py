"""Dapr's HTTP API: the requests of our calls, and what their responses mean. A mode sends them.

https://docs.dapr.io/reference/api/
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import quote

import msgspec

from dapr_hero.contract.errors import Refused, Unavailable
from dapr_hero.modes.shared import state_items
from dapr_hero.sidecar.interface import Conflict, StateEntry

_JSON = "application/json"


class Request(NamedTuple):
    """A request to daprd; `path` is below the version of the API. `dependency` is the component it needs."""

    dependency: str
    method: str
    path: str
    body: bytes | None = None
    content_type: str = _JSON


class _Item(msgspec.Struct):
    """An item of a bulk read; see `state_items`."""

    key: str
    data: msgspec.Raw = msgspec.Raw(b"null")
    etag: str = ""
    error: str = ""


_items = msgspec.json.Decoder(list[_Item])


def get_secret(store: str, key: str) -> Request:
    """Return the request for a secret; see `secret` for its response."""
    return Request(store, "GET", f"secrets/{store}/{quote(key, safe='')}")


def secret(body: bytes) -> Mapping[str, str]:
    """Return the values of a secret by their names."""
    return msgspec.json.decode(body, type=dict[str, str])


def get_states(store: str, keys: Sequence[str]) -> Request:
    """Return the request for many entries; see `states` for its response."""
    body = msgspec.json.encode({"keys": keys, "parallelism": len(keys)})
    return Request(store, "POST", f"state/{store}/bulk", body)


def states(store: str, body: bytes) -> Mapping[str, StateEntry]:
    """Return the entries that exist, by key. Raises: Unavailable if one of them could not be read."""
    return state_items.entries(store, _items.decode(body))


def save_states(store: str, entries: Sequence[StateEntry]) -> Request:
    """Return the request that saves entries, each only if its etag is still current."""
    return Request(store, "POST", f"state/{store}", msgspec.json.encode([_write(each) for each in entries]))


def publish(pubsub: str, topic: str, event: bytes) -> Request:
    """Return the request that publishes a CloudEvent in structured JSON."""
    path = f"publish/{pubsub}/{quote(topic, safe='')}"
    return Request(pubsub, "POST", path, event, "application/cloudevents+json")


def accepted(request: Request, status: int, body: bytes) -> bytes:
    """Return the body of a successful response.

    See https://docs.dapr.io/reference/errors/error-codes/.

    Raises:
        Conflict: if an entry has changed since it was read.
        Refused: if the request itself can never succeed.
        Unavailable: for every other error.
    """
    if 200 <= status < 300:
        return body
    if status == HTTPStatus.CONFLICT:
        raise Conflict
    cause = body[:500].decode(errors="replace")
    malformed = status == HTTPStatus.BAD_REQUEST and "ERR_MALFORMED_REQUEST" in cause
    if malformed or status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        raise Refused(request.dependency, cause)
    raise Unavailable(request.dependency, f"HTTP {status}: {cause}")


def _write(entry: StateEntry) -> dict[str, Any]:
    return {
        "key": entry.key,
        "value": msgspec.Raw(entry.value),
        "etag": entry.etag,
        "options": {"concurrency": "first-write"},
    }
