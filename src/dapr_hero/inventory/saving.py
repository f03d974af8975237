"""Saving a batch: an item that breaks it is found by bisection, so that it harms no other."""

from collections.abc import Awaitable, Callable

import structlog

from dapr_hero.contract.errors import Refused, Unavailable
from dapr_hero.contract.items import Version

log = structlog.get_logger()

# Saves a list of versions in one round trip; a store that does not answer is given up after so many seconds.
Save = Callable[[list[Version], float], Awaitable[None]]

# With this many unexpected errors and no success, the store is at fault and not its items.
_MAX_FAULTS = 16


class Fault(Exception):
    """Saving one item failed with an error that no store should raise; the log has its traceback."""

    def __init__(self) -> None:
        super().__init__("internal error")


async def failures_by_id(
    versions: list[Version], save: Callable[[list[Version]], Awaitable[None]]
) -> dict[str, Exception]:
    """Save the versions; return the error for each item id that was not saved.

    The errors are Unavailable, Refused or Fault. If every item of a batch fails in an unexpected way, the
    store is Unavailable: the fault cannot be that of the items.
    """
    if not versions:
        return {}
    bisection = _Bisection(save)
    try:
        await bisection.save(versions)
    except Unavailable as failure:
        unsaved = [each.item.id for each in versions if each.item.id not in bisection.saved]
        return {id: bisection.refused.get(id, failure) for id in unsaved}
    if len(bisection.faults) == len(versions) > 1:
        outage = Unavailable("store", "every item failed with an unexpected error")
        return {each.item.id: outage for each in versions}
    return {**bisection.refused, **{id: Fault() for id in bisection.faults}}


class _Bisection:
    def __init__(self, save: Callable[[list[Version]], Awaitable[None]]) -> None:
        self._save = save
        self.saved: set[str] = set()
        self.faults: set[str] = set()
        self.refused: dict[str, Exception] = {}

    async def save(self, versions: list[Version]) -> None:
        """Save the versions, bisecting a batch that fails. Raises: Unavailable."""
        try:
            await self._save(versions)
        except Unavailable:
            raise
        except Exception as error:
            if len(versions) == 1:
                self._failed(versions[0].item.id, error)
            else:
                middle = len(versions) // 2
                await self.save(versions[:middle])
                await self.save(versions[middle:])
        else:
            self.saved.update(each.item.id for each in versions)

    def _failed(self, id: str, error: Exception) -> None:
        if isinstance(error, Refused):
            self.refused[id] = error
            return
        if not self.faults:  # one traceback tells as much as a hundred
            log.error("item cannot be saved", id=id, exc_info=error)
        self.faults.add(id)
        if len(self.faults) >= _MAX_FAULTS and not self.saved:
            raise Unavailable("store", repr(error))
