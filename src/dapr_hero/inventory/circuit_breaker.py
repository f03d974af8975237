"""A circuit breaker in front of each store: while a store is unavailable, its callers fail at once.

See https://learn.microsoft.com/azure/architecture/patterns/circuit-breaker.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from enum import Enum

import structlog

from dapr_hero.contract.errors import Unavailable
from dapr_hero.contract.items import PROBE, Item, Store, Version
from dapr_hero.service import metrics

log = structlog.get_logger()

_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 5.0


class _State(Enum):
    CLOSED = "calls pass"
    OPEN = "calls fail at once, while a probe runs in the background"
    HALF_OPEN = "one call passes; its result decides"


class CircuitBreaker:
    """Lets calls of one kind through as long as the store is available for them.

    So an outage costs one timeout instead of one per call, and a store that recovers meets one request
    instead of all of them. A change between available and unavailable is logged once.
    """

    def __init__(
        self, store: str, operation: str, probe: Callable[[], Awaitable[object]], *, trial: bool
    ) -> None:
        """`trial`: a probe that succeeds does not close the circuit; it lets one call through to find out."""
        self._store = store
        self._operation = operation
        self._probe = probe
        self._trial = trial
        self._state = _State.CLOSED
        self._cause = ""
        self._trying = False
        self._pauses = _pauses()
        self._probing: asyncio.Task[None] | None = None
        self._gauge = metrics.CIRCUIT_CLOSED.labels(store, operation)
        self._gauge.set(1)

    def check(self) -> None:
        """Return if the circuit is closed. Raises: Unavailable."""
        if self._state is not _State.CLOSED:
            raise Unavailable(self._store, self._cause)

    @asynccontextmanager
    async def call(self) -> AsyncIterator[None]:
        """Make one call inside the block. Raises: Unavailable at once, unless calls pass."""
        if self._state is _State.OPEN or self._trying:
            raise Unavailable(self._store, self._cause)
        self._trying = self._state is _State.HALF_OPEN
        try:
            yield
        except Unavailable as failure:
            self._open(failure.cause)
            raise
        except asyncio.CancelledError:
            self._trying = False
            raise
        except Exception:
            self._close()  # An error of another kind is an answer of a store that is available.
            raise
        self._close()

    async def stop(self) -> None:
        """Stop probing."""
        if self._probing:
            self._probing.cancel()
            await asyncio.gather(self._probing, return_exceptions=True)

    def _open(self, cause: str) -> None:
        if self._state is _State.CLOSED:
            log.warning(
                "store unavailable; calls fail at once until it recovers",
                store=self._store,
                operation=self._operation,
                cause=cause,
            )
            self._gauge.set(0)
            self._pauses = _pauses()
        if self._state is not _State.OPEN:
            self._probing = asyncio.create_task(self._probe_until_available())
        self._state, self._cause, self._trying = _State.OPEN, cause, False

    def _close(self) -> None:
        self._trying = False
        if self._state is _State.CLOSED:
            return
        if self._state is _State.OPEN and self._probing:  # a call that started before the outage succeeded
            self._probing.cancel()
        self._state = _State.CLOSED
        log.info("store available again", store=self._store, operation=self._operation)
        self._gauge.set(1)

    async def _probe_until_available(self) -> None:
        while True:
            await asyncio.sleep(next(self._pauses))
            try:
                await self._probe()
            except Unavailable:
                continue
            except Exception:
                log.exception("probe failed", store=self._store)
            break
        self._state = _State.HALF_OPEN
        if not self._trial:
            self._close()


class StoreCircuitBreaker:
    """A store behind two circuit breakers: one for reads and one for saves.

    A store can take reads and refuse every save: a database that is read-only during a failover.
    """

    def __init__(self, name: str, store: Store) -> None:
        self._name = name
        self._store = store
        self._reads = CircuitBreaker(name, "read", self._read_probe, trial=False)
        self._saves = CircuitBreaker(name, "save", self._read_probe, trial=True)
        self._unfinished: set[asyncio.Task[None]] = set()

    async def get(self, ids: list[str]) -> dict[str, Item]:
        """Return those of the items that exist. Raises: Unavailable."""
        async with self._reads.call():
            return await self._store.get(ids)

    async def save(self, versions: list[Version], patience_seconds: float) -> None:
        """Save, as long as the store answers; a save that is given up continues in the background.

        A store that answers neither the save nor a probe for `patience_seconds` is unavailable; one that is slow is
        not. No other save starts until a given-up one has finished: each further call would bring Dapr's own circuit
        breaker closer to its limit. Raises: Unavailable, Refused.
        """
        if self._unfinished:
            raise Unavailable(self._name, "an earlier save has not finished")
        saving = asyncio.create_task(self._save(versions))
        try:
            while not await _finished(saving, patience_seconds):
                if not await self._answers(saving, patience_seconds):
                    raise Unavailable(self._name, f"no answer within {patience_seconds:g} s")
        except (asyncio.CancelledError, Unavailable):
            self._continue_in_background(saving)
            raise
        return saving.result()

    async def check(self) -> None:
        """Return if the store takes both reads and saves. Raises: Unavailable."""
        self._saves.check()
        await self._read_probe()

    async def close(self) -> None:
        """Stop probing, and cancel the saves in the background."""
        for task in self._unfinished:
            task.cancel()
        await asyncio.gather(
            *self._unfinished, self._reads.stop(), self._saves.stop(), return_exceptions=True
        )

    async def _read_probe(self) -> None:
        await self._store.get(PROBE)

    async def _save(self, versions: list[Version]) -> None:
        async with self._saves.call():
            await self._store.save(versions)

    async def _answers(self, saving: asyncio.Task[None], patience_seconds: float) -> bool:
        """Return whether the store answers a probe, or the save finishes, within the rest of the patience."""
        probing = asyncio.create_task(self._read_probe())
        try:
            await asyncio.wait(
                {saving, probing}, timeout=patience_seconds / 2, return_when=asyncio.FIRST_COMPLETED
            )
            if not probing.done():
                return saving.done()
            return not isinstance(probing.exception(), Unavailable)
        finally:
            probing.cancel()

    def _continue_in_background(self, saving: asyncio.Task[None]) -> None:
        self._unfinished.add(saving)
        saving.add_done_callback(self._forget)

    def _forget(self, saving: asyncio.Task[None]) -> None:
        self._unfinished.discard(saving)
        if not saving.cancelled():
            saving.exception()  # Retrieved, or asyncio reports it as never retrieved.


async def _finished(saving: asyncio.Task[None], patience_seconds: float) -> bool:
    """Return whether the save finishes within half of the patience; the rest is for a probe."""
    done, _ = await asyncio.wait({saving}, timeout=patience_seconds / 2)
    return bool(done)


def _pauses() -> Iterator[float]:
    """Yield the seconds between probes: longer and longer, and different for each replica."""
    pause = _FIRST_PAUSE_SECONDS
    while True:
        yield random.uniform(pause / 2, pause)  # noqa: S311
        pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
