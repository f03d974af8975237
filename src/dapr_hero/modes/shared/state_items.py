"""The items of a bulk read of state, which have the same fields over HTTP and over gRPC."""

from collections.abc import Collection, Mapping
from typing import Any

from dapr_hero.contract.errors import Unavailable
from dapr_hero.sidecar.interface import StateEntry


def entries(store: str, items: Collection[Any]) -> Mapping[str, StateEntry]:
    """Return the entries that exist, by key. A key that does not exist has no etag.

    Raises:
        Unavailable: if one of them could not be read; the read as a whole succeeds all the same.
    """
    if error := next((each.error for each in items if each.error), ""):
        raise Unavailable(store, error)
    return {each.key: StateEntry(each.key, bytes(each.data), each.etag) for each in items if each.etag}
