"""Handles deliveries: events become items in their stores, or are parked, or kept as dead letters."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple

import structlog

from dapr_hero.contract import events
from dapr_hero.contract.errors import Refused, Unavailable
from dapr_hero.contract.events import STORED, CloudEvent, Outcome, Verdict
from dapr_hero.contract.items import Malformed, Version
from dapr_hero.contract.kinds import KINDS, kind_of
from dapr_hero.contract.routing import DEAD_LETTERS_PATH
from dapr_hero.inventory.dead_letters import DeadLetters
from dapr_hero.inventory.saving import Save
from dapr_hero.inventory.shared_saves import SharedSaves
from dapr_hero.inventory.side_topics import SideTopics
from dapr_hero.service import metrics, tracing

log = structlog.get_logger()


# Returns the path on which Dapr delivers such an event, if this version does not know it.
UnknownPath = Callable[[CloudEvent], Awaitable[str | None]]

# How long a store that does not answer may hold up the events of the other types.
_PATIENCE_SECONDS = 1.0
# Parked events have their own topic and delay no new ones. Each call of a store ends sooner, by its own timeout.
_LONG_PATIENCE_SECONDS = 60.0


class Failed(NamedTuple):
    """An event that was not stored, and why: Unavailable, Malformed, Refused or Fault."""

    event: CloudEvent
    error: Exception


# Handles the events of one resource that failed for one reason; returns an outcome for each.
Remedy = Callable[[str, Sequence[Failed]], Awaitable[list[Outcome]]]


class FailurePolicy(NamedTuple):
    """The treatment of events that cannot be stored, by kind of failure."""

    saves: Mapping[str, SharedSaves]
    unavailable: Remedy
    rejected: Remedy
    fault: Remedy

    def remedy(self, error: Exception) -> Remedy:
        match error:
            case Unavailable():
                return self.unavailable
            case Malformed() | Refused():
                return self.rejected
            case _:
                return self.fault


class Handlers:
    """The handlers of all paths. Those of the resources differ only in their store."""

    def __init__(
        self,
        saves: Mapping[str, Save],
        side_topics: SideTopics,
        letters: DeadLetters,
        unknown_path: UnknownPath,
    ) -> None:
        """Handle the events of these resources: `saves` has one entry per resource."""
        self._side_topics = side_topics
        self._letters = letters
        self._unknown_path = unknown_path
        hasty, patient = _shared(saves, _PATIENCE_SECONDS), _shared(saves, _LONG_PATIENCE_SECONDS)
        #                           saves    unavailable  rejected                    fault
        self._fresh = FailurePolicy(hasty, self._park, self._publish_dead_letters, _retry)
        self._parked = FailurePolicy(patient, _retry, self._publish_dead_letters, self._publish_dead_letters)
        self._dead = FailurePolicy(patient, self._park, self._keep, self._keep)
        self._resources = {kind.path: kind.resource for kind in KINDS}
        self._parked_resources = {kind.parked_path: kind.resource for kind in KINDS}

    async def deliver(self, path: str, batch: Sequence[CloudEvent]) -> list[Outcome]:
        """Handle the events that came in on one path; return their outcomes in the order of the events."""
        with metrics.of_path(path).seconds.time():
            if path in self._resources:
                return await self._process(path, self._resources[path], batch, self._fresh)
            if path in self._parked_resources:
                return [await self._redrive(path, self._parked_resources[path], pack) for pack in batch]
            if path == DEAD_LETTERS_PATH:
                return [await self._reprocess(letter) for letter in batch]
        raise KeyError(path)

    async def _redrive(self, path: str, resource: str, pack: CloudEvent) -> Outcome:
        """Handle a pack of parked events.

        The whole pack comes again if one of its events has to; for the others that changes nothing.
        """
        try:
            batch = events.unpack(pack)
        except Malformed as fault:
            outcomes = await self._publish_dead_letters(resource, [Failed(pack, fault)])
            _report(path, [pack], outcomes)
            return outcomes[0]
        outcomes = await self._process(path, resource, batch, self._parked)
        return next((outcome for outcome in outcomes if not outcome.verdict.settled), STORED)

    async def _reprocess(self, letter: CloudEvent) -> Outcome:
        """Store a good event whose retries ran out, and keep every other one.

        A good event stays a dead letter as long as its subscription names a path without a handler here.
        """
        if letter.type == events.WRAPPED_TYPE:
            letter = events.decode(events.unwrapped(letter.original()))
        resource = kind_of(letter.type).resource
        try:
            path = await self._unknown_path(letter) if isinstance(_read(letter), Version) else None
        except Unavailable as failure:
            outcomes = await _retry(resource, [Failed(letter, failure)])
        else:
            if not path:
                return (await self._process(DEAD_LETTERS_PATH, resource, [letter], self._dead))[0]
            fault = Malformed(f"no handler for the path {path} of its subscription")
            outcomes = await self._keep(resource, [Failed(letter, fault)])
        _report(DEAD_LETTERS_PATH, [letter], outcomes)
        return outcomes[0]

    async def _process(
        self, path: str, resource: str, batch: Sequence[CloudEvent], policy: FailurePolicy
    ) -> list[Outcome]:
        if not batch:
            return []
        with tracing.events(path, [each.traceparent for each in batch]):
            outcomes = await self._store_or_remedy(resource, batch, policy)
        _report(path, batch, outcomes)
        return outcomes

    async def _store_or_remedy(
        self, resource: str, batch: Sequence[CloudEvent], policy: FailurePolicy
    ) -> list[Outcome]:
        errors = await _store(policy.saves[resource], batch)
        outcomes = [STORED] * len(batch)
        for kind in {type(error) for error in errors if error}:
            failed = {
                place: Failed(batch[place], error)
                for place, error in enumerate(errors)
                if error and type(error) is kind
            }
            remedy = policy.remedy(next(iter(failed.values())).error)
            for place, outcome in zip(failed, await remedy(resource, list(failed.values())), strict=True):
                outcomes[place] = outcome
        return outcomes

    # The remedies

    async def _park(self, resource: str, failed: Sequence[Failed]) -> list[Outcome]:
        reason = str(failed[0].error)
        try:
            await self._side_topics.park(resource, [each.event for each in failed], reason)
        except (Unavailable, Refused):
            return [Outcome(Verdict.RETRY, f"not parked: {reason}")] * len(failed)
        return [Outcome(Verdict.PARKED, reason)] * len(failed)

    async def _publish_dead_letters(self, _: str, failed: Sequence[Failed]) -> list[Outcome]:
        return await asyncio.gather(*(self._publish_dead_letter(each) for each in failed))

    async def _publish_dead_letter(self, failed: Failed) -> Outcome:
        reason = str(failed.error)
        try:
            with tracing.publication("dead letters", failed.event.traceparent):
                await self._side_topics.publish_dead_letter(failed.event, reason)
        except (Malformed, Refused, Unavailable):
            # Dapr moves an event that it has not handed over whole, after its retries.
            return Outcome(Verdict.RETRY, f"not yet among the dead letters: {reason}")
        return Outcome(Verdict.REJECT, reason)

    async def _keep(self, _: str, failed: Sequence[Failed]) -> list[Outcome]:
        try:
            for event, error in failed:
                await self._letters.keep(event, str(error))
        except (Unavailable, Refused) as failure:
            return [Outcome(Verdict.RETRY, str(failure))] * len(failed)
        return [Outcome(Verdict.REJECT, str(error)) for _, error in failed]


def _shared(saves: Mapping[str, Save], patience_seconds: float) -> dict[str, SharedSaves]:
    return {resource: SharedSaves(save, patience_seconds) for resource, save in saves.items()}


async def _store(saves: SharedSaves, batch: Sequence[CloudEvent]) -> list[Exception | None]:
    """Return, for each event, the error that prevented it from being stored, or None."""
    read = [_read(event) for event in batch]
    failed = await saves.save([each for each in read if isinstance(each, Version)])
    return [failed.get(each.item.id) if isinstance(each, Version) else each for each in read]


async def _retry(_: str, failed: Sequence[Failed]) -> list[Outcome]:
    return [Outcome(Verdict.RETRY, str(error)) for _, error in failed]


def _report(path: str, batch: Sequence[CloudEvent], outcomes: Sequence[Outcome]) -> None:
    """Count the outcomes and log the rejected events.

    Parked and retried events are counted only: their store's circuit breaker logs the outage, once.
    """
    counted = metrics.of_path(path)
    counted.batch_size.observe(len(batch))
    for verdict, count in Counter(outcome.verdict.value for outcome in outcomes).items():
        counted.events(verdict).inc(count)
    for event, outcome in zip(batch, outcomes, strict=True):
        if outcome.verdict is Verdict.REJECT:
            log.warning("event rejected", path=path, event_id=_id(event), reason=outcome.reason)


def _id(event: CloudEvent) -> str | None:
    """Return the id for the log; a value that is not a string may be anything, of any size."""
    return event.id[:100] if isinstance(event.id, str) else None


def _read(event: CloudEvent) -> Version | Malformed:
    try:
        return events.version(event)
    except Malformed as fault:
        return fault
