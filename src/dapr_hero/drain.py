"""The end of a service in good order: first it is not ready any more, then what is under way is finished."""

import asyncio

import structlog

from dapr_hero.errors import Unavailable
from dapr_hero.settings import Settings

log = structlog.get_logger()


class Drain:
    """What load balancers are told while the service still serves."""

    def __init__(self, service: str, settings: Settings) -> None:
        self._service = service
        self._seconds = settings.drain_seconds
        self._draining = False

    async def check(self) -> None:
        """Raises: Unavailable once the end has begun."""
        if self._draining:
            raise Unavailable(self._service)

    async def begin(self) -> None:
        """Be not ready, and give load balancers the time to notice."""
        log.info("draining: no more requests, please")
        self._draining = True
        await asyncio.sleep(self._seconds)
