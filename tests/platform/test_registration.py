"""The subscription in code works alone in each mode; that the declarative one does, all other tests show."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from dapr_hero.contract.mode import Mode
from dapr_hero.local import assembly
from dapr_hero.local.chosen_ports import on_free_ports
from dapr_hero.local.resources import Registration
from dapr_hero.testing import RunningPlatform, eventually, start_platform
from dapr_local.install.runtime import DaprRuntime
from tests.events import event
from tests.platform.database import dead_letters


@pytest.fixture(scope="module", params=list(Mode), ids=lambda mode: mode.value)
def platform(
    request: pytest.FixtureRequest, dapr_runtime: DaprRuntime, data_dir: Path
) -> Iterator[RunningPlatform]:
    settings = on_free_ports(dapr_mode=request.param, data_dir=data_dir)
    parts = assembly.ALL - assembly.TRACING
    options = {"registration": Registration.PROGRAMMATIC, "parts": parts, "fresh": True}
    with start_platform(settings, dapr_runtime, **options) as running:
        yield running


def test_events_are_routed_and_malformed_ones_kept(platform: RunningPlatform) -> None:
    bad = event(price=-1)
    platform.publish(bad)
    for type in ("widget.v1", "gadget.v1", "thingamajig.v1"):
        platform.publish(event(type, "x"))
    for resource in ("widgets", "gadgets", "products"):
        eventually(partial(_is_there, platform, f"/v1/{resource}/x"))
    eventually(lambda: bad["id"] in [letter.get("id") for letter in dead_letters(platform.settings)])


def _is_there(platform: RunningPlatform, path: str) -> bool:
    return platform.get(path).status_code == 200
