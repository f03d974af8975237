"""The end of a service in good order: first nobody sends any more, then what is under way is finished."""

import asyncio
from contextlib import suppress

import structlog

from dapr_hero.errors import Unavailable
from dapr_hero.settings import Settings

log = structlog.get_logger()

_PROBE_SECONDS = 1.0


class Drain:
    """What daprd and load balancers are told while the service still serves.

    https://docs.dapr.io/developing-applications/building-blocks/observability/app-health/
    """

    def __init__(self, settings: Settings) -> None:
        self._probes = settings.app_health_threshold
        self._draining = False
        self._refused = 0
        self._heard = asyncio.Event()

    def healthy(self) -> bool:
        """The answer to a probe of daprd."""
        if self._draining:
            self._refused += 1
            if self._refused >= self._probes:
                self._heard.set()
        return not self._draining

    async def check(self) -> None:
        """The answer to a probe of anybody else. Raises: Unavailable."""
        if self._draining:
            raise Unavailable("inventory")

    async def begin(self) -> None:
        """Refuse probes until daprd has stopped its deliveries, or sends none."""
        log.info("draining: no more events and requests, please")
        self._draining = True
        with suppress(TimeoutError):
            async with asyncio.timeout((self._probes + 1) * _PROBE_SECONDS):
                await self._heard.wait()
