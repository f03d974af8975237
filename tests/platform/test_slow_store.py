"""A slow store is not an outage: its events wait for it, and none is parked."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dapr_hero.contract.mode import Mode
from dapr_hero.local import assembly
from dapr_hero.local.chosen_ports import on_free_ports
from dapr_hero.testing import RunningPlatform, eventually, start_platform
from dapr_local.install.runtime import DaprRuntime
from dapr_local.parts import sentry
from tests.events import event
from tests.platform import metrics
from tests.platform.database import fetch_value, run_sql

PARTS = assembly.ALL - assembly.TRACING - {sentry.NAME}
# Ten times what a full batch takes on a busy machine, and longer than the patience with a store that does not answer.
SECONDS = 1.5
SLOW = f"""
    CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_sleep({SECONDS}); RETURN NULL; END $$
"""
SLOW_SAVES = "CREATE TRIGGER slow BEFORE INSERT ON widgets FOR EACH STATEMENT EXECUTE FUNCTION slow()"


@pytest.fixture(params=[True, False], ids=["in bulk", "one by one"])
def platform(
    request: pytest.FixtureRequest, dapr_runtime: DaprRuntime, data_dir: Path
) -> Iterator[RunningPlatform]:
    settings = on_free_ports(dapr_mode=Mode.CUSTOM_HTTP, data_dir=data_dir, bulk_subscribe=request.param)
    with start_platform(settings, dapr_runtime, parts=PARTS, fresh=True) as running:
        yield running


def test_events_wait_for_a_slow_store(platform: RunningPlatform) -> None:
    assert platform.get("/v1/widgets/none").status_code == 404  # the table is there
    for statement in (SLOW, SLOW_SAVES):
        run_sql(platform.settings, statement)
    events = [event("widget.v1", f"w{number}") for number in range(100)]
    for each in events:
        platform.publish(each)
    stored = "SELECT count(*) FROM widgets"
    assert eventually(lambda: fetch_value(platform.settings, stored) == len(events), seconds=60)
    handled = {
        verdict: metrics.of_app(platform, "dapr_hero_events_total", path="/widgets.v1", verdict=verdict)
        for verdict in ("stored", "parked", "retry")
    }
    assert handled == {"stored": len(events), "parked": 0, "retry": 0}
