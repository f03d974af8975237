"""What a delivery means: its events become items in their stores, or are put aside. Nothing is lost here."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple

import structlog

from dapr_hero import events, items, metrics, tracing
from dapr_hero.errors import Unavailable
from dapr_hero.events import STORED, CloudEvent, Outcome, Verdict
from dapr_hero.inventory.dead_letters import DeadLetters
from dapr_hero.inventory.parking import Parking
from dapr_hero.items import Malformed, Version
from dapr_hero.routing import DEAD_LETTERS_PATH, ROUTES, route_for

log = structlog.get_logger()

# Stores a list of items in one round trip; a patience, in seconds, is for a store that may not be there.
Save = Callable[[list[Version], float | None], Awaitable[None]]

# Returns the path on which Dapr delivers such an event, if this version does not know it.
UnknownPath = Callable[[CloudEvent], Awaitable[str | None]]

# All types wait for the one whose store does not answer: this long.
_PATIENCE_SECONDS = 1.0
_LOGGED_SINGLY = (Verdict.REJECT, Verdict.RETRY)


class Fault(Exception):
    """Storing failed in a way that nobody has foreseen; the log has the trace."""

    def __init__(self) -> None:
        super().__init__("internal error")


class Refused(NamedTuple):
    """An event that was not stored, and why: Unavailable, Malformed or Fault."""

    event: CloudEvent
    error: Exception


# What becomes of the events of one resource that were refused for one reason; an outcome for each.
Remedy = Callable[[str, Sequence[Refused]], Awaitable[list[Outcome]]]


class Remedies(NamedTuple):
    patience_seconds: float | None
    unavailable: Remedy
    malformed: Remedy
    fault: Remedy

    def of(self, error: Exception) -> Remedy:
        return {Unavailable: self.unavailable, Malformed: self.malformed, Fault: self.fault}[type(error)]


class Handlers:
    """The handlers of all paths: one for each resource, alike but for the store in which its items land."""

    def __init__(
        self, saves: Mapping[str, Save], parking: Parking, letters: DeadLetters, unknown_path: UnknownPath
    ) -> None:
        """`saves` has one entry for each resource."""
        self._saves = saves
        self._parking = parking
        self._letters = letters
        self._unknown_path = unknown_path
        #                        patience          a store is down  malformed   internal error
        self._fresh = Remedies(_PATIENCE_SECONDS, self._park, self._bury, _retry)
        self._parked = Remedies(None, _retry, self._bury, self._bury)
        self._dead = Remedies(None, self._park, self._keep, self._keep)
        self._resources = {route.path: route.resource for route in ROUTES}
        self._parked_resources = {route.parked_path: route.resource for route in ROUTES}

    async def deliver(self, path: str, batch: Sequence[CloudEvent]) -> list[Outcome]:
        """Handle the events that came in on one path; the outcomes are in the order of the events."""
        if not batch:
            return []
        with (
            metrics.HANDLING_SECONDS.labels(path).time(),
            tracing.received(path, [each.traceparent for each in batch]),
        ):
            outcomes = await self._handle(path, batch)
        _report(path, batch, outcomes)
        return outcomes

    async def _handle(self, path: str, batch: Sequence[CloudEvent]) -> list[Outcome]:
        if path in self._resources:
            return await self._settle(self._resources[path], batch, self._fresh)
        if path in self._parked_resources:
            return [await self._redrive(self._parked_resources[path], pack) for pack in batch]
        if path == DEAD_LETTERS_PATH:
            return [await self._judge_again(letter) for letter in batch]
        raise KeyError(path)

    async def _redrive(self, resource: str, pack: CloudEvent) -> Outcome:
        """A pack comes again as a whole when one of its events must; for the others that changes nothing."""
        try:
            batch = events.unpack(pack)
        except Malformed as fault:
            return (await self._bury(resource, [Refused(pack, fault)]))[0]
        outcomes = await self._settle(resource, batch, self._parked)
        return next((outcome for outcome in outcomes if not outcome.verdict.settled), STORED)

    async def _judge_again(self, letter: CloudEvent) -> Outcome:
        """Store a good event whose retries ran out, and keep every other one.

        A good event stays a dead letter as long as its subscription names a path without a handler here.
        """
        if letter.type == events.WRAPPED_TYPE:
            letter = events.decode(events.unwrapped(letter.original()))
        resource = route_for(letter.type).resource
        if isinstance(_read(letter), Version):
            try:
                path = await self._unknown_path(letter)
            except Unavailable as problem:
                return Outcome(Verdict.RETRY, str(problem))
            if path:
                fault = Malformed(f"no handler for the path {path} of its subscription")
                return (await self._keep(resource, [Refused(letter, fault)]))[0]
        return (await self._settle(resource, [letter], self._dead))[0]

    async def _settle(self, resource: str, batch: Sequence[CloudEvent], remedies: Remedies) -> list[Outcome]:
        errors = await self._store(resource, batch, remedies.patience_seconds)
        outcomes = [STORED] * len(batch)
        for kind in {type(error) for error in errors if error}:
            refused = {
                place: Refused(batch[place], error)
                for place, error in enumerate(errors)
                if error and type(error) is kind
            }
            remedy = remedies.of(next(iter(refused.values())).error)
            for place, outcome in zip(refused, await remedy(resource, list(refused.values())), strict=True):
                outcomes[place] = outcome
        return outcomes

    async def _store(
        self, resource: str, batch: Sequence[CloudEvent], patience_seconds: float | None
    ) -> list[Exception | None]:
        """What kept each event from being stored."""

        async def save(versions: list[Version]) -> None:
            await self._saves[resource](versions, patience_seconds)

        read = [_read(event) for event in batch]
        failed = await _failures(items.newest([each for each in read if isinstance(each, Version)]), save)
        return [failed.get(each.item.id) if isinstance(each, Version) else each for each in read]

    # The remedies

    async def _park(self, resource: str, refused: Sequence[Refused]) -> list[Outcome]:
        reason = str(refused[0].error)
        try:
            await self._parking.park(resource, [each.event for each in refused], reason)
        except Unavailable:
            return [Outcome(Verdict.RETRY, f"not parked: {reason}")] * len(refused)
        return [Outcome(Verdict.PARKED, reason)] * len(refused)

    async def _bury(self, _: str, refused: Sequence[Refused]) -> list[Outcome]:
        return await asyncio.gather(*(self._bury_one(each) for each in refused))

    async def _bury_one(self, refused: Refused) -> Outcome:
        reason = str(refused.error)
        try:
            await self._parking.bury(refused.event, reason)
        except (Malformed, Unavailable):
            # What Dapr has not handed over, only Dapr can move, and does so after its retries.
            return Outcome(Verdict.RETRY, f"not yet among the dead letters: {reason}")
        return Outcome(Verdict.REJECT, reason)

    async def _keep(self, _: str, refused: Sequence[Refused]) -> list[Outcome]:
        try:
            for event, error in refused:
                await self._letters.keep(event, str(error))
        except Unavailable as problem:
            return [Outcome(Verdict.RETRY, str(problem))] * len(refused)
        return [Outcome(Verdict.REJECT, str(error)) for _, error in refused]


async def _retry(_: str, refused: Sequence[Refused]) -> list[Outcome]:
    return [Outcome(Verdict.RETRY, str(error)) for _, error in refused]


def _report(path: str, batch: Sequence[CloudEvent], outcomes: Sequence[Outcome]) -> None:
    """Count the outcomes, and log all but the good ones; an outage parks too many for a line each."""
    metrics.BATCH_SIZE.labels(path).observe(len(batch))
    for outcome, count in Counter(outcomes).items():
        metrics.EVENTS.labels(path, outcome.verdict.value).inc(count)
        if outcome.verdict is Verdict.PARKED:
            log.warning("events parked", path=path, count=count, reason=outcome.reason)
    for event, outcome in zip(batch, outcomes, strict=True):
        if outcome.verdict in _LOGGED_SINGLY:
            words = {"verdict": outcome.verdict.value, "reason": outcome.reason}
            log.warning("event not stored", path=path, event_id=_id(event), **words)


def _id(event: CloudEvent) -> str | None:
    """For the log; what is no text may be anything, of any size."""
    return event.id[:100] if isinstance(event.id, str) else None


def _read(event: CloudEvent) -> Version | Malformed:
    try:
        return events.version(event)
    except Malformed as fault:
        return fault


async def _failures(
    versions: list[Version], save: Callable[[list[Version]], Awaitable[None]]
) -> dict[str, Exception]:
    """Save them; what kept which item, by its id. One that breaks its batch is found, and harms no other."""
    if not versions:
        return {}
    try:
        await save(versions)
    except Unavailable as problem:
        return {version.item.id: problem for version in versions}
    except Exception:
        if len(versions) == 1:
            log.exception("item cannot be stored", id=versions[0].item.id)
            return {versions[0].item.id: Fault()}
        middle = len(versions) // 2
        return {**await _failures(versions[:middle], save), **await _failures(versions[middle:], save)}
    return {}
