"""Where events go that cannot be stored now, or ever: topics, whose broker was up when the event came in."""

import asyncio
import time
from collections.abc import Sequence

import structlog

from dapr_hero.contract import events
from dapr_hero.contract.errors import Unavailable
from dapr_hero.contract.events import CloudEvent
from dapr_hero.contract.routing import Topic
from dapr_hero.settings import Settings
from dapr_hero.sidecar.interface import Sidecar

log = structlog.get_logger()

# How long a broker that has just gone is waited for. With the retries of Dapr's policy that makes more than
# the component's processingTimeout, which ends the delivery, and leaves the event unacknowledged (ADR 9).
_TIMEOUT_SECONDS = 8.0
_PAUSE_SECONDS = 0.5
# What comes back comes by single packs: small enough that a store which is back is not overrun.
_PACK_EVENTS = 100


class SideTopics:
    """Publishes what is put aside. All methods raise Unavailable when the broker stays away."""

    def __init__(self, sidecar: Sidecar, settings: Settings) -> None:
        self._sidecar = sidecar
        self._settings = settings
        self._available = True

    async def park(self, resource: str, batch: Sequence[CloudEvent], reason: str) -> None:
        """Until the store of this resource answers. The events are readable ones."""
        topic = self._settings.topics.parked(resource)
        source = self._settings.inventory_app_id
        packs = [batch[first : first + _PACK_EVENTS] for first in range(0, len(batch), _PACK_EVENTS)]
        await asyncio.gather(*(self._publish(topic, events.pack(each, source, reason)) for each in packs))

    async def publish_dead_letter(self, event: CloudEvent, reason: str) -> None:
        """Among the dead letters. Raises also Malformed: Dapr has not handed over the whole event."""
        topic = self._settings.topics.dead_letters
        await self._publish(topic, events.dead_letter_event(event, self._settings.inventory_app_id, reason))

    async def resume(self, event: bytes) -> None:
        """Among the new events."""
        await self._publish(self._settings.topics.events, event)

    async def _publish(self, topic: Topic, event: bytes) -> None:
        deadline = time.monotonic() + _TIMEOUT_SECONDS
        while True:
            try:
                await self._sidecar.publish(topic.pubsub, topic.name, event)
            except Unavailable as failure:
                self._note(failure.cause)
                if time.monotonic() > deadline:
                    raise
            else:
                return self._note(None)
            await asyncio.sleep(_PAUSE_SECONDS)

    def _note(self, cause: str | None) -> None:
        """Log the outage of the broker when it starts and when it ends."""
        available = cause is None
        if available and not self._available:
            log.info("broker available again")
        elif self._available and not available:
            log.warning("broker unavailable", cause=cause)
        self._available = available
