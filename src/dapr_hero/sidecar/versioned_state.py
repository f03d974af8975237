"""Versioned items in a Dapr state store; inventory and products each have one."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Protocol
from urllib.parse import quote

import msgspec
import structlog

from dapr_hero.contract.errors import Unavailable
from dapr_hero.contract.items import Item, Version
from dapr_hero.sidecar.interface import NO_ETAG, Conflict, StateEntry

log = structlog.get_logger()

# Rounds of read, compare and save before the store is reported as unavailable. Another writer succeeds in each
# lost round, so the number of rounds is small in practice.
_ROUNDS = 10


class StateCalls(Protocol):
    """The two calls of a sidecar that a state store needs."""

    async def get_states(self, store: str, keys: Sequence[str]) -> Mapping[str, StateEntry]: ...

    async def save_states(self, store: str, states: Sequence[StateEntry]) -> None: ...


class _Entry(msgspec.Struct, frozen=True):
    """The stored form; the price is a text, since Dapr's HTTP API turns JSON numbers into binary doubles."""

    id: str
    description: str
    price: str
    stamp: str


_decode = msgspec.json.Decoder(_Entry).decode


class VersionedState:
    """Lists of items in and out; an older version never overwrites a newer one.

    Dapr's state API cannot compare values, but can refuse a write whose etag is outdated. So a save reads,
    leaves out what is superseded, writes with etags, and starts over on a conflict with another writer.
    """

    def __init__(self, sidecar: StateCalls, store: str, prefix: str) -> None:
        self._sidecar = sidecar
        self._store = store
        self._prefix = prefix

    async def get(self, ids: list[str]) -> dict[str, Item]:
        """Return the stored items by id, in one round trip. Raises: Unavailable."""
        keys = {self._key(id): id for id in ids}
        states = await self._sidecar.get_states(self._store, list(keys))
        return {keys[key]: _item(_decode(state.value)) for key, state in states.items()}

    async def save(self, versions: list[Version]) -> None:
        """Save all versions; their ids must be unique. Raises: Unavailable."""
        for _ in range(_ROUNDS):
            states = await self._outdated(versions)
            if not states:
                return None
            try:
                return await self._sidecar.save_states(self._store, states)
            except Conflict:
                log.debug("state changed between read and save; retrying", store=self._store)
        raise Unavailable(self._store, f"other writers won {_ROUNDS} rounds")

    async def _outdated(self, versions: Iterable[Version]) -> list[StateEntry]:
        """Return the entries to write: the versions that are newer than the stored ones."""
        wanted = {self._key(version.item.id): version for version in versions}
        stored = await self._sidecar.get_states(self._store, list(wanted))
        writes = []
        for key, version in wanted.items():
            known = stored.get(key)
            if known is None or _decode(known.value).stamp < version.stamp:
                writes.append(StateEntry(key, _encode(version), known.etag if known else NO_ETAG))
        return writes

    def _key(self, id: str) -> str:
        # Dapr reserves "||" inside keys; quoting leaves none, and keeps ids readable in the store.
        return f"{self._prefix}:{quote(id, safe='')}"


def _item(entry: _Entry) -> Item:
    return Item(entry.id, entry.description, Decimal(entry.price))


def _encode(version: Version) -> bytes:
    item = version.item
    return msgspec.json.encode(_Entry(item.id, item.description, str(item.price), version.stamp))
