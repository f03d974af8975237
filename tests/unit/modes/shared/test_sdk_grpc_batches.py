"""The interceptor with a handler in the place of the SDK's extension, which decodes and calls ours."""

import asyncio
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from dapr.proto import appcallback_v1

from dapr_hero.contract.events import STORED, CloudEvent, Outcome, Verdict
from dapr_hero.contract.routing import Topic
from dapr_hero.modes.shared.sdk_grpc_batches import BatchInterceptor
from tests.events import event

STATUS = appcallback_v1.TopicEventResponse
TOPIC = Topic("pubsub", "parked")


class World:
    """An interceptor, the batches that it delivers, and the outcomes to answer with."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.batches: list[tuple[str, list[Any]]] = []
        self.outcomes: Callable[[int], Outcome] = lambda _: STORED
        self.interceptor = BatchInterceptor(self._deliver, loop)
        self.handle = self.interceptor.handler("/parked", TOPIC, raw=True)

    async def _deliver(self, path: str, batch: Sequence[CloudEvent]) -> list[Outcome]:
        self.batches.append((path, [each.id for each in batch]))
        return [self.outcomes(number) for number, _ in enumerate(batch)]

    def extension(self, request: Any, _context: object) -> Any:
        """Call the handler for each readable entry, as the SDK does."""
        statuses = []
        for entry in request.entries:
            status = STATUS.RETRY
            if entry.bytes:
                self.handle(SimpleNamespace(raw_data=lambda entry=entry: entry.bytes))  # type: ignore[arg-type]
                status = STATUS.SUCCESS
            statuses.append(
                appcallback_v1.TopicEventBulkResponseEntry(entry_id=entry.entry_id, status=status)
            )
        return appcallback_v1.TopicEventBulkResponse(statuses=statuses)

    async def bulk(self, path: str, *ids: str) -> list[tuple[str, int]]:
        entries = [
            appcallback_v1.TopicEventBulkRequestEntry(
                entry_id=id, bytes=msgspec.json.encode(event(id=id) | {"id": id}) if id != "cut" else b""
            )
            for id in ids
        ]
        request = appcallback_v1.TopicEventBulkRequest(entries=entries, path=path)
        response = await asyncio.to_thread(self.interceptor._bulk, self.extension, request, None)
        return [(each.entry_id, each.status) for each in response.statuses]


@pytest.fixture
async def world() -> World:
    return World(asyncio.get_running_loop())


async def test_a_bulk_is_delivered_as_one_batch_with_an_outcome_for_each(world: World) -> None:
    world.outcomes = lambda number: Outcome(Verdict.RETRY) if number == 1 else STORED

    assert await world.bulk("/parked", "a", "b") == [("a", STATUS.SUCCESS), ("b", STATUS.RETRY)]
    assert world.batches == [("/parked", ["a", "b"])]


async def test_an_entry_that_the_extension_could_not_read_keeps_its_answer(world: World) -> None:
    assert await world.bulk("/parked", "a", "cut", "b") == [
        ("a", STATUS.SUCCESS),
        ("cut", STATUS.RETRY),
        ("b", STATUS.SUCCESS),
    ]
    assert world.batches == [("/parked", ["a", "b"])]


async def test_an_unknown_path_is_retried_and_delivered_nowhere(world: World) -> None:
    assert await world.bulk("/laters", "a") == [("a", STATUS.RETRY)]
    assert world.batches == []


async def test_a_single_event_is_delivered_at_once(world: World) -> None:
    world.outcomes = lambda _: Outcome(Verdict.RETRY)
    body = msgspec.json.encode(event() | {"id": "a"})
    message: Any = SimpleNamespace(raw_data=lambda: body)

    response = await asyncio.to_thread(world.handle, message)

    assert response.status.name == "retry"
    assert world.batches == [("/parked", ["a"])]


async def test_the_path_alone_finds_the_handler_whatever_the_topic(world: World) -> None:
    request = appcallback_v1.TopicEventRequest(path="/parked", topic="renamed", pubsub_name="other")
    seen = await asyncio.to_thread(
        world.interceptor._single, lambda got, _: (got.pubsub_name, got.topic), request, None
    )
    assert seen == TOPIC
