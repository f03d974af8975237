"""Saves that share a round trip: versions that arrive during a save leave together in the next one."""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from dapr_hero.contract import items
from dapr_hero.contract.items import Version
from dapr_hero.inventory.saving import Save, failures_by_id

# As many as daprd delivers in one bulk.
_MOST_VERSIONS = 500


class _Waiting(NamedTuple):
    versions: Sequence[Version]
    failures: asyncio.Future[dict[str, Exception]]


class SharedSaves:
    """Saves versions for many callers, one round trip at a time. A single caller never waits."""

    def __init__(self, save: Save, patience_seconds: float) -> None:
        """`patience_seconds` is passed to `save`."""
        self._save = lambda versions: save(versions, patience_seconds)
        self._saving = False
        self._waiting: list[_Waiting] = []

    async def save(self, versions: Sequence[Version]) -> dict[str, Exception]:
        """Save the newest version of each item; return the error for each item id that was not saved."""
        if self._saving:
            each = _Waiting(versions, asyncio.get_running_loop().create_future())
            self._waiting.append(each)
            return await each.failures
        self._saving = True
        try:
            return await failures_by_id(items.newest(versions), self._save)
        finally:
            self._saving = False
            if self._waiting:
                self._next = asyncio.create_task(self._save_waiting())

    async def _save_waiting(self) -> None:
        together: list[_Waiting] = []
        size = 0
        while self._waiting and size < _MOST_VERSIONS:
            together.append(self._waiting.pop(0))
            size += len(together[-1].versions)
        try:
            failures = await self.save([version for each in together for version in each.versions])
        except BaseException as error:
            for each in together:
                if not each.failures.done():
                    each.failures.set_exception(error)
            raise
        for each in together:
            if not each.failures.done():
                each.failures.set_result(failures)
