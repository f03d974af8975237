"""Saves that share a round trip: versions that arrive during a save leave together in the next one."""

import asyncio
from collections.abc import Sequence

from dapr_hero.contract import items
from dapr_hero.contract.items import Version
from dapr_hero.inventory.saving import Save, failures_by_id

# As many as daprd delivers in one bulk.
_MOST_VERSIONS = 500


class _Batch:
    """Versions of several callers; the first caller whose turn it is saves them for all."""

    def __init__(self) -> None:
        self.versions: list[Version] = []
        self.failures: dict[str, Exception] | None = None


class SharedSaves:
    """Saves versions for many callers, one round trip at a time. A single caller never waits."""

    def __init__(self, save: Save, patience_seconds: float) -> None:
        """`patience_seconds` is passed to `save`."""
        self._save = lambda versions: save(versions, patience_seconds)
        self._turn = asyncio.Lock()
        self._next = _Batch()

    async def save(self, versions: Sequence[Version]) -> dict[str, Exception]:
        """Save the newest version of each item; return the error for each item id that was not saved."""
        if len(self._next.versions) >= _MOST_VERSIONS:
            self._next = _Batch()
        batch = self._next
        batch.versions += versions
        async with self._turn:
            if batch is self._next:
                self._next = _Batch()
            if batch.failures is None:
                batch.failures = await failures_by_id(items.newest(batch.versions), self._save)
        return batch.failures
