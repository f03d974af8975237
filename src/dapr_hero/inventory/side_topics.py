"""Publishes events that cannot be stored now (parked) or ever (dead letters) to their own topics."""

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

# The longest wait for a broker that has just become unavailable. With the retries of Dapr's policy it exceeds the
# component's processingTimeout, which ends the delivery and leaves the event unacknowledged (ADR 9).
_TIMEOUT_SECONDS = 8.0
_PAUSE_SECONDS = 0.5
# Packs come back one by one. They are small, so a store that has recovered is not overloaded.
_PACK_EVENTS = 100


class SideTopics:
    """Publishes to the side topics. All methods raise Unavailable if the broker stays unavailable."""

    def __init__(self, sidecar: Sidecar, settings: Settings) -> None:
        self._sidecar = sidecar
        self._settings = settings
        self._available = True

    async def park(self, resource: str, batch: Sequence[CloudEvent], reason: str) -> None:
        """Publish readable events to the topic where they wait for the store of this resource."""
        topic = self._settings.topics.parked(resource)
        source = self._settings.inventory_app_id
        packs = [batch[first : first + _PACK_EVENTS] for first in range(0, len(batch), _PACK_EVENTS)]
        await asyncio.gather(*(self._publish(topic, events.pack(each, source, reason)) for each in packs))

    async def publish_dead_letter(self, event: CloudEvent, reason: str) -> None:
        """Publish an event as a dead letter. Also raises Malformed if daprd has not delivered all of it."""
        topic = self._settings.topics.dead_letters
        await self._publish(topic, events.dead_letter_event(event, self._settings.inventory_app_id, reason))

    async def resume(self, event: bytes) -> None:
        """Publish an event to the topic of new events."""
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
