"""Graceful shutdown: a service reports "not ready", and serves until load balancers have noticed."""

import asyncio
from types import TracebackType

import structlog

from dapr_hero.contract.errors import Unavailable
from dapr_hero.settings import Settings

log = structlog.get_logger()

# How long each server of a service may take to finish what is under way.
STOP_TIMEOUT_SECONDS = 20


class Drain:
    """An asynchronous context in which a service is ready.

    Enter it last, when everything else has been set up: a service that is stopped before that has not been
    ready, so it has nothing to drain. Leaving it takes `unready_seconds`.
    """

    def __init__(self, service: str, settings: Settings) -> None:
        self._service = service
        self._seconds = settings.unready_seconds
        self._ready = False

    async def check(self) -> None:
        """Return if the service is ready. Raises: Unavailable."""
        if not self._ready:
            raise Unavailable(self._service)

    async def __aenter__(self) -> None:
        """Report "ready"."""
        self._ready = True

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Report "not ready", then wait for load balancers to notice."""
        log.info("draining: not ready any more, still serving")
        self._ready = False
        await asyncio.sleep(self._seconds)
