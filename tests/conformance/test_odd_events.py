"""Odd events have the same outcome in every mode, with daprd's own steps between those of the app."""

import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from dapr_hero import modes
from dapr_hero.contract.events import CloudEvent, Outcome
from dapr_hero.contract.items import encode
from dapr_hero.contract.kinds import DEFAULT, kind_of
from dapr_hero.contract.routing import DEAD_LETTERS_PATH, subscriptions
from dapr_hero.settings import Settings
from tests import odd_events
from tests.conformance.fake_sidecar import Deliverer
from tests.fuzz.world import World
from tests.handover import published


class Course:
    """daprd between a topic and the app: deliveries, retries that run out, and dead letters."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.world = World(settings)
        self._daprd = Deliverer(settings)

    async def deliver(self, path: str, batch: Sequence[CloudEvent]) -> list[Outcome]:
        return await self.world.handlers.deliver(path, batch)

    async def run(self, event: dict[str, Any]) -> tuple[list[str], list[bytes]]:
        """Return the ids that are stored in the end, and the dead letters that are kept."""
        self.world = World(self.settings)
        if not await self._is_answered(event):
            await self._as_dead_letter(encode(event))
        for letter in self.world.dead_letters:
            topic = self.settings.dead_letter_topic
            await self._as_dead_letter(encode(published(json.loads(letter), topic, "pubsub-dead-letters")))
        ids = [id for store in self.world.stores.values() for id in store.versions]
        return ids, self.world.table.originals

    async def _is_answered(self, event: dict[str, Any]) -> bool:
        if "type" not in event or "expiration" in event:
            return (
                False  # daprd finds no rule, or takes it for expired: either way it is a dead letter at once.
            )
        path = kind_of(event["type"]).path if isinstance(event["type"], str) else DEFAULT.path
        return await self._daprd.bulk(path, [event]) == ["SUCCESS"]

    async def _as_dead_letter(self, event: bytes) -> None:
        assert await self._daprd.wrapped(DEAD_LETTERS_PATH, event) == "SUCCESS"


@pytest.fixture
async def course(settings: Settings) -> AsyncIterator[Course]:
    course = Course(settings)
    listener = await modes.load(settings.dapr_mode).listen(
        settings, subscriptions(settings.topics), course.deliver
    )
    yield course
    await listener.stop()


@pytest.mark.parametrize("id", odd_events.reported())
async def test_a_valid_event_of_a_bug_report_is_stored(course: Course, id: str) -> None:
    assert await course.run(odd_events.reported()[id]) == ([id], [])


async def test_terminal_codes_in_a_type_are_kept_with_their_event(course: Course) -> None:
    stored, [letter] = await course.run(odd_events.TERMINAL_CODES)
    assert (stored, odd_events.says(json.loads(letter))) == ([], odd_events.says(odd_events.TERMINAL_CODES))


async def test_every_valid_event_is_stored(course: Course) -> None:
    ends = {name: await course.run(event) for name, event in odd_events.STORED.items()}
    assert {name: end for name, end in ends.items() if end != ([name], [])} == {}


async def test_every_other_event_is_kept_with_all_that_it_says(course: Course) -> None:
    for name, event in odd_events.KEPT.items():
        stored, letters = await course.run(event)
        assert (stored, len(letters)) == ([], 1), name
        assert odd_events.says(json.loads(letters[0])) == odd_events.says(event), name
