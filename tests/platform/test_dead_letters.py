"""The dead letters as an operator meets them: the command line and the private API, on the real platform."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from dapr_hero import modes
from dapr_hero.contract import events
from dapr_hero.contract.errors import Unavailable
from dapr_hero.contract.items import encode
from dapr_hero.contract.mode import Mode
from dapr_hero.inventory.database import Database
from dapr_hero.inventory.dead_letters import DeadLetters
from dapr_hero.inventory.side_topics import SideTopics
from dapr_hero.local.chosen_ports import on_free_ports
from dapr_hero.sidecar import tokens
from dapr_hero.testing import RunningPlatform, eventually, start_platform
from dapr_local.install.runtime import DaprRuntime
from tests.events import event
from tests.platform.broker import broker


@pytest.fixture(scope="module")
def platform(dapr_runtime: DaprRuntime, data_dir: Path) -> Iterator[RunningPlatform]:
    settings = on_free_ports(dapr_mode=Mode.CUSTOM_GRPC, data_dir=data_dir)
    with start_platform(settings, dapr_runtime, fresh=True) as running:
        yield running


def hero(platform: RunningPlatform, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "dapr_hero", "dead-letters", *arguments],
        env={**os.environ, **platform.settings.environment(), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def api(platform: RunningPlatform, method: str, path: str = "", **query: Any) -> httpx.Response:
    url = f"http://127.0.0.1:{platform.settings.dead_letters_port}/v1/dead-letters{path}"
    return httpx.request(method, url, params=query, headers=tokens.to_daprd(platform.settings))


def letters(platform: RunningPlatform, state: str = "kept") -> dict[str, dict[str, Any]]:
    """The letters by the ids of their events."""
    found = api(platform, "GET", state=state, limit=1000).json()["letters"]
    return {letter["event_id"]: letter for letter in found}


def kept(platform: RunningPlatform, *bad: dict[str, Any], **headers: str) -> list[dict[str, Any]]:
    """Publish events that cannot be stored; their letters, once all are kept."""
    for each in bad:
        platform.publish(each, **headers)
    ids = [each["id"] for each in bad]
    eventually(lambda: set(ids) <= letters(platform).keys())
    found = letters(platform)
    return [found[id] for id in ids]


def test_a_letter_tells_reason_time_attempts_trace_and_its_event(platform: RunningPlatform) -> None:
    bad = event(price=-1)
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    [letter] = kept(platform, bad, traceparent=trace)
    assert letter["reason"] == "price must be a finite number >= 0"
    assert (letter["event_type"], letter["attempts"], letter["state"]) == ("widget.v1", 1, "kept")
    # The same trace, as its latest span: that of the delivery.
    assert letter["traceparent"].split("-")[1] == trace.split("-")[1]
    shown = json.loads(hero(platform, "show", letter["key"]).stdout)
    assert shown["original"].items() >= {"id": bad["id"], "data": bad["data"]}.items()
    assert letter["key"] in hero(platform, "list").stdout
    assert json.loads(hero(platform, "list", "--json").stdout)["total"] == len(letters(platform))


def test_an_event_that_still_cannot_be_stored_is_back_after_its_replay(platform: RunningPlatform) -> None:
    [letter] = kept(platform, event(price="x"))
    answer = hero(platform, "replay", letter["key"])
    assert (answer.returncode, "replayed 1 of 1" in answer.stdout) == (0, True)
    back = eventually(lambda: _kept_again(platform, letter))
    assert (back["attempts"], back["reason"]) == (2, letter["reason"])


def _kept_again(platform: RunningPlatform, letter: dict[str, Any]) -> dict[str, Any]:
    now = letters(platform).get(letter["event_id"], letter)
    return now if now["last_at"] > letter["last_at"] else {}


def test_a_letter_is_replayed_once_however_often_it_is_asked_for(platform: RunningPlatform) -> None:
    """It was kept while the table could not take it; now it can."""
    good = event(id="repaired")
    key = asyncio.run(_keep(platform, good))
    with broker(platform.settings) as valkey:
        before: Any = valkey.xlen("inventory")
        for _ in range(3):
            assert api(platform, "POST", f"/{key}/replay").json()["state"] == "replayed"
        assert valkey.xlen("inventory") == before + 1
    eventually(lambda: platform.get("/v1/widgets/repaired").status_code == 200)
    assert letters(platform, "replayed")[good["id"]]["attempts"] == 2


async def _keep(platform: RunningPlatform, good: dict[str, Any], parking: SideTopics | None = None) -> str:
    """Keep an event as a letter, as a replica does; with `parking`, fail to replay it. Return its key."""
    settings = platform.settings
    sidecar = await modes.load(settings.dapr_mode).connect(settings)
    database = Database(sidecar, settings)
    try:
        dead = DeadLetters(database, parking or SideTopics(sidecar, settings))
        await dead.keep(events.decode(encode(good)), "kept by a test")
        [letter, *_] = letters(platform).values()
        if parking:
            with pytest.raises(Unavailable):
                await dead.replay(letter["key"])
        return str(letter["key"])
    finally:
        await database.close()
        await sidecar.close()


class Cut(SideTopics):
    """The broker is gone when the event is to be published."""

    def __init__(self) -> None: ...

    async def resume(self, event: bytes) -> None:
        raise Unavailable("pubsub")


def test_a_replay_during_an_outage_of_the_broker_leaves_the_letter_as_it_was(
    platform: RunningPlatform,
) -> None:
    good = event(id="cut")
    key = asyncio.run(_keep(platform, good, Cut()))
    assert letters(platform)[good["id"]]["attempts"] == 1
    assert api(platform, "POST", f"/{key}/replay").json()["state"] == "replayed"
    eventually(lambda: platform.get("/v1/widgets/cut").status_code == 200)


def test_a_message_that_is_no_cloud_event_is_kept_shown_and_discarded_but_not_replayed(
    platform: RunningPlatform,
) -> None:
    with broker(platform.settings) as valkey:
        valkey.xadd("inventory", {"data": "no event \x00 at all"})
    letter = eventually(lambda: letters(platform).get(None))  # type: ignore[call-overload]
    answer = hero(platform, "replay", letter["key"])
    assert answer.returncode == 1
    assert "is not a CloudEvent" in answer.stderr
    assert json.loads(hero(platform, "show", letter["key"]).stdout)["original"] == "no event \x00 at all"
    assert hero(platform, "discard", letter["key"]).returncode == 0
    again = hero(platform, "discard", letter["key"])
    assert (again.returncode, "404: there is no such dead letter" in again.stderr) == (1, True)


def test_all_are_decided_about_at_once_over_many_pages(platform: RunningPlatform) -> None:
    many = kept(platform, *(event("gadget.v1", price=-1) for _ in range(25)))
    pages: list[dict[str, Any]] = []
    after: dict[str, str] = {}
    while len(pages) < 100:
        page = api(platform, "GET", limit=10, **after).json()
        pages += page["letters"]
        if "next" not in page:
            break
        after = {"after": page["next"]}
    assert {letter["key"] for letter in many} <= {letter["key"] for letter in pages}
    assert len(pages) == len({letter["key"] for letter in pages}) == page["total"]
    assert hero(platform, "discard", "--all").returncode == 0
    assert letters(platform) == {}
    assert hero(platform, "list").stdout == ""


@pytest.mark.parametrize(
    "query",
    [{"state": "gone"}, {"limit": 0}, {"limit": "x"}, {"after": "yesterday"}, {"after": "2026-01-01/x"}],
)
def test_a_bad_question_is_refused(platform: RunningPlatform, query: dict[str, Any]) -> None:
    answer = api(platform, "GET", **query)
    assert (answer.status_code, answer.json()["type"]) == (400, "BAD_REQUEST")


@pytest.mark.parametrize("arguments", [["replay"], ["discard", "k", "--all"], ["list", "--limit", "0"]])
def test_wrong_usage_is_said(platform: RunningPlatform, arguments: list[str]) -> None:
    assert hero(platform, *arguments).returncode == 2


def test_unknown_letters_and_ways_are_errors_in_json(platform: RunningPlatform) -> None:
    for method, path, status in (
        ("GET", "/none", 404), ("POST", "/none/replay", 404), ("DELETE", "/none", 404),
        ("GET", "/%00", 404), ("PUT", "/none", 405),
    ):  # fmt: skip
        answer = api(platform, method, path)
        assert (answer.status_code, answer.json()["code"]) == (status, status)
    assert platform.get("/v1/dead-letters").status_code == 404
