"""A gate before a store: nobody waits for one that does not answer."""

import asyncio
import random
from collections.abc import Iterator

import structlog

from dapr_hero import metrics
from dapr_hero.errors import Unavailable
from dapr_hero.items import PROBE, Item, Store, Version

log = structlog.get_logger()

_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 5.0


class Gate:
    """A store that is asked only while it answers.

    The first call that finds it unavailable shuts the gate, and all others fail at once, until a single probe
    in the background has got an answer. So an outage costs one timeout, not one for each call, and the store
    that comes back is met by one question, not by all at once. Whom others wait for does not even wait for
    that timeout, and leaves its save to go on alone.
    """

    def __init__(self, name: str, store: Store) -> None:
        self._name = name
        self._store = store
        self._probing: asyncio.Task[None] | None = None
        self._left: set[asyncio.Task[None]] = set()
        self._open = metrics.STORE_ANSWERS.labels(name)
        self._open.set(1)

    async def get(self, ids: list[str]) -> dict[str, Item]:
        """Raises: Unavailable."""
        self._pass()
        try:
            return await self._store.get(ids)
        except Unavailable:
            self._shut()
            raise

    async def save(self, versions: list[Version], patience_seconds: float | None = None) -> None:
        """Raises: Unavailable, also when the patience is over; that save goes on, and no other begins.

        Each further call would only bring Dapr's circuit closer to its five failures.
        """
        self._pass()
        if self._left:
            raise Unavailable(self._name)
        if patience_seconds is None:
            return await self._save(versions)
        saving = asyncio.create_task(self._save(versions))
        saving.add_done_callback(self._ended)
        done, _ = await asyncio.wait({saving}, timeout=patience_seconds)
        if done:
            return saving.result()
        self._left.add(saving)
        raise Unavailable(self._name)

    async def probe(self) -> None:
        """Ask the store itself, gate or no gate. Raises: Unavailable."""
        await self._store.get(PROBE)

    async def close(self) -> None:
        tasks = [*self._left, *([self._probing] if self._probing else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _save(self, versions: list[Version]) -> None:
        try:
            await self._store.save(versions)
        except Unavailable:
            self._shut()
            raise

    def _ended(self, saving: asyncio.Task[None]) -> None:
        self._left.discard(saving)
        if not saving.cancelled():
            saving.exception()  # Looked at, since nobody else may be there to do so.

    def _pass(self) -> None:
        if self._probing:
            raise Unavailable(self._name)

    def _shut(self) -> None:
        if not self._probing:
            log.warning("a store does not answer; it is left alone until it does", store=self._name)
            self._open.set(0)
            self._probing = asyncio.create_task(self._until_it_answers())

    async def _until_it_answers(self) -> None:
        try:
            for pause in _pauses():
                await asyncio.sleep(pause)
                try:
                    return await self.probe()
                except Unavailable:
                    continue
        finally:
            # Also after a fault of ours in the probe: a store that fails in a new way is there.
            log.info("a store answers again", store=self._name)
            self._open.set(1)
            self._probing = None


def _pauses() -> Iterator[float]:
    """Seconds between probes: longer and longer, and never the same for two replicas."""
    pause = _FIRST_PAUSE_SECONDS
    while True:
        yield random.uniform(pause / 2, pause)  # noqa: S311
        pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
