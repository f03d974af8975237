"""What an event means: it becomes an item in its store. A list of events in, an outcome for each out."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

import msgspec
import structlog

from dapr_hero import events, items, metrics, tracing
from dapr_hero.errors import Unavailable
from dapr_hero.events import STORED, CloudEvent, Outcome, Verdict
from dapr_hero.items import Malformed, Version
from dapr_hero.routing import ROUTES

log = structlog.get_logger()

Save = Callable[[list[Version]], Awaitable[None]]
Bury = Callable[[bytes], Awaitable[None]]


class Handlers:
    """One handler for each route, all alike but for the store in which their items land."""

    def __init__(self, saves: Mapping[str, Save], bury: Bury) -> None:
        """`saves` has, for each resource, what stores a list of its items in one round trip; `bury` publishes
        an event to the dead-letter topic.
        """
        self._bury = bury
        self._routes = {route.path: (route.resource, saves[route.resource]) for route in ROUTES}

    async def deliver(self, path: str, batch: Sequence[CloudEvent]) -> list[Outcome]:
        """Handle the events of one route; the outcomes are in the order of the events. Never raises."""
        resource, save = self._routes[path]
        if not batch:
            return []
        with (
            metrics.HANDLING_SECONDS.labels(path).time(),
            tracing.received(path, [e.traceparent for e in batch]),
        ):
            outcomes = await self._handle(batch, save)
        metrics.BATCH_SIZE.labels(path).observe(len(batch))
        for event, outcome in zip(batch, outcomes, strict=True):
            metrics.EVENTS.labels(path, outcome.verdict.value).inc()
            if outcome is not STORED:
                log.warning("event not stored", resource=resource, event_id=event.id, **_words(outcome))
        return outcomes

    async def _handle(self, batch: Sequence[CloudEvent], save: Save) -> list[Outcome]:
        read = [_read(event) for event in batch]
        versions = [each for each in read if isinstance(each, Version)]
        saved = await _saved(items.newest(versions), save) if versions else STORED
        return [
            saved if isinstance(each, Version) else await self._buried(event, each)
            for event, each in zip(batch, read, strict=True)
        ]

    async def _buried(self, event: CloudEvent, rejected: Outcome) -> Outcome:
        """Puts it into the dead-letter topic with its reason; failing that, Dapr does so, after retries."""
        try:
            attributes = msgspec.json.decode(event.original(), type=dict[str, msgspec.Raw])
            await self._bury(msgspec.json.encode({**attributes, "deadletterreason": rejected.reason}))
        except (msgspec.DecodeError, UnicodeDecodeError, Unavailable):
            return Outcome(Verdict.RETRY, f"not yet in the dead-letter topic: {rejected.reason}")
        return rejected


def _read(event: CloudEvent) -> Version | Outcome:
    try:
        return events.version(event)
    except Malformed as fault:
        return Outcome(Verdict.REJECT, str(fault))


async def _saved(versions: list[Version], save: Save) -> Outcome:
    try:
        await save(versions)
    except Unavailable as problem:
        return Outcome(Verdict.RETRY, str(problem))
    except Exception:  # Whatever it was, the events are not stored, and Dapr must hear that.
        log.exception("handler failed")
        return Outcome(Verdict.RETRY, "internal error")
    return STORED


def _words(outcome: Outcome) -> dict[str, str]:
    return {"verdict": outcome.verdict.value, "reason": outcome.reason}
