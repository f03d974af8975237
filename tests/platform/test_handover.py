"""The real daprd hands over odd events over gRPC exactly as the fakes do."""

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from dapr.proto import appcallback_v1

from dapr_hero.contract.items import encode
from dapr_hero.contract.mode import Mode
from dapr_hero.local.chosen_ports import on_free_ports
from dapr_hero.local.resources import Registration
from dapr_hero.testing import RunningPlatform, eventually, start_platform
from dapr_local.install.runtime import DaprRuntime
from tests import handover, odd_events
from tests.platform.broker import queue
from tests.platform.recorder import SINGLE, Recorder, recording

# daprd delivers no event that has expired.
EVENTS: dict[str, dict[str, Any]] = {
    name: {**event, "name": name}
    for name, event in {**odd_events.STORED, **odd_events.KEPT}.items()
    if name != "expired"
}
PARTS = {"valkey", "inventory-daprd"}


@pytest.fixture(scope="module")
def recorder(dapr_runtime: DaprRuntime, data_dir: Path) -> Iterator[Recorder]:
    settings = on_free_ports(dapr_mode=Mode.CUSTOM_GRPC, data_dir=data_dir)
    options = {"parts": PARTS, "registration": Registration.PROGRAMMATIC, "fresh": True}
    with recording(settings) as recorder, start_platform(settings, dapr_runtime, **options) as platform:
        _send(platform)
        eventually(lambda: _arrived(recorder) >= 2 * len(EVENTS))
        yield recorder


def _send(platform: RunningPlatform) -> None:
    for topic in (platform.settings.pubsub_topic, SINGLE):
        queue(platform.settings, topic, [encode(event) for event in EVENTS.values()])


def _arrived(recorder: Recorder) -> int:
    return len(_in_bulk(recorder)) + len(recorder.messages) + len(recorder.dead)


def _in_bulk(recorder: Recorder) -> list[Any]:
    return [each.cloud_event for each in recorder.entries if each.HasField("cloud_event")]


def test_an_event_in_a_bulk_has_the_fields_that_the_fake_gives_it(recorder: Recorder) -> None:
    wanted = {name: handover.entry(event) for name, event in EVENTS.items()}
    assert _fields(_in_bulk(recorder)) == {
        name: _told(appcallback_v1.TopicEventCERequest(**fields)) for name, fields in wanted.items() if fields
    }


def test_an_event_that_comes_alone_has_the_fields_that_the_fake_gives_it(recorder: Recorder) -> None:
    wanted = {name: handover.message(event) for name, event in EVENTS.items()}
    assert _fields(recorder.messages) == {
        name: _told(appcallback_v1.TopicEventRequest(**fields)) for name, fields in wanted.items() if fields
    }


def test_the_others_are_empty_entries_and_then_dead_letters_as_they_came(recorder: Recorder) -> None:
    assert appcallback_v1.TopicEventBulkRequestEntry() in recorder.entries
    fakes = (handover.entry, handover.message)
    wanted = [name for fake in fakes for name, event in EVENTS.items() if fake(event) is None]
    assert "object for a text" in wanted
    letters = [json.loads(each) for each in recorder.dead]
    assert sorted(letter["name"] for letter in letters) == sorted(wanted)
    assert all(letter == EVENTS[letter["name"]] for letter in letters)


def _fields(messages: list[Any]) -> dict[str, Any]:
    by_name = {message.extensions["name"]: _told(message) for message in messages}
    assert len(by_name) == len(messages), "each comes once"
    return by_name


def _told(message: Any) -> dict[str, Any]:
    """The fields of a message; JSON is read, since daprd escapes more characters than the fake does."""
    told = {field: getattr(message, field) for field in (*handover.FIELDS.values(), "data")}
    with suppress(ValueError):
        told["data"] = json.loads(message.data, parse_int=float)
    return {**told, "extensions": message.extensions}
