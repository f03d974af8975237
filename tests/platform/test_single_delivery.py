"""Events delivered one by one, in each mode: the same outcomes as in bulk."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dapr_hero.contract.kinds import KINDS
from dapr_hero.contract.mode import Mode
from dapr_hero.local import assembly
from dapr_hero.local.chosen_ports import on_free_ports
from dapr_hero.testing import RunningPlatform, eventually, start_platform
from dapr_local.install.runtime import DaprRuntime
from tests.events import event
from tests.platform import metrics
from tests.platform.database import dead_letters

PARTS = assembly.ALL - assembly.TRACING
EVENTS = 40


@pytest.fixture(params=list(Mode), ids=lambda mode: mode.value)
def platform(
    request: pytest.FixtureRequest, dapr_runtime: DaprRuntime, data_dir: Path
) -> Iterator[RunningPlatform]:
    settings = on_free_ports(dapr_mode=request.param, data_dir=data_dir, bulk_subscribe=False)
    with start_platform(settings, dapr_runtime, parts=PARTS, fresh=True) as running:
        yield running


def test_every_event_arrives_alone(platform: RunningPlatform) -> None:
    for number in range(EVENTS):
        for kind in KINDS:
            platform.publish(event(kind.type, f"{kind.name}{number}"))
    platform.publish(event("widget.v1", "bad", price=-1))
    for kind in KINDS:
        last = f"/v1/{kind.resource}/{kind.name}{EVENTS - 1}"
        assert eventually(lambda last=last: platform.get(last).status_code == 200)  # type: ignore[misc]
    assert eventually(lambda: len(dead_letters(platform.settings)) == 1)
    for kind in KINDS:
        handled = EVENTS + (kind.name == "widget")
        assert eventually(
            lambda kind=kind, handled=handled: (
                (  # type: ignore[misc]
                    metrics.of_app(platform, "dapr_hero_batch_events_count", path=kind.path),
                    metrics.of_app(platform, "dapr_hero_batch_events_sum", path=kind.path),
                )
                == (handled, handled)
            )
        )
