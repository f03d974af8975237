"""Odd events through the real daprd: the same ends in all modes, and good events pass behind them."""

import json
import re
import uuid
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import cycle
from typing import Any
from urllib.parse import quote

import httpx2 as httpx
import pytest

from dapr_hero.contract.items import encode
from dapr_hero.contract.kinds import kind_of
from dapr_hero.local import assembly, sidecars
from dapr_hero.local.resources import write
from dapr_hero.sidecar import tokens
from dapr_hero.testing import RunningPlatform, eventually
from dapr_local.parts.daprd import Files
from tests import odd_events
from tests.events import event
from tests.fuzz import profiles
from tests.fuzz.judge import Quality, judge
from tests.platform import odd_values
from tests.platform.broker import queue
from tests.platform.database import originals
from tests.platform.metrics import of_app

PARTS = assembly.ALL - assembly.TRACING  # traces are tested elsewhere
# A batch with an event that only daprd can move takes all its retries, and others may be behind it.
_SECONDS = 60.0
_ROUNDS = 40 if profiles.NAME == "long" else 1


def _kept(platform: RunningPlatform, member: str = "marker") -> dict[str, dict[str, Any]]:
    """The dead letters by a member that marks them; those that are not JSON are left out."""
    letters = {}
    for original in originals(platform.settings):
        try:
            whole = json.loads(original)
        except (ValueError, RecursionError):
            continue
        if isinstance(whole, dict) and isinstance(whole.get(member), str):
            letters[whole[member]] = whole
    return letters


def _stored(platform: RunningPlatform, id: str, resource: str = "widgets") -> bool:
    return platform.get(f"/v1/{resource}/{quote(id, safe='')}").status_code == 200


def _send(platform: RunningPlatform, batch: Sequence[bytes], types: Sequence[str] = odd_values.TYPES) -> None:
    """Put events into the topic, and a good one of each type behind them, which must all pass."""
    queue(platform.settings, "inventory", batch)
    id = f"behind {uuid.uuid4()}"
    for type in types:
        platform.publish(event(type, id))
    for type in types:
        eventually(partial(_stored, platform, id, kind_of(type).resource), seconds=_SECONDS)


def test_every_valid_event_is_stored(platform: RunningPlatform) -> None:
    _send(platform, [encode(each | {"marker": name}) for name, each in odd_events.STORED.items()])
    for name in odd_events.STORED:
        eventually(partial(_stored, platform, name))
    assert not _kept(platform).keys() & odd_events.STORED.keys()


def test_every_other_event_is_kept_with_all_that_it_says(platform: RunningPlatform) -> None:
    sent = {name: each | {"marker": name} for name, each in odd_events.KEPT.items()}
    _send(platform, [encode(each) for each in sent.values()])
    eventually(lambda: sent.keys() <= _kept(platform).keys())
    kept = _kept(platform)
    assert {name: odd_events.says(kept[name]) for name in sent} == {
        name: odd_events.says(each) for name, each in sent.items()
    }


@pytest.mark.parametrize("id", odd_events.reported(", published"))
def test_a_reported_event_that_is_published_through_daprd_is_stored(
    platform: RunningPlatform, id: str
) -> None:
    platform.publish(odd_events.reported(", published")[id])
    eventually(partial(_stored, platform, id))


def test_values_of_every_kind_under_every_name(platform: RunningPlatform) -> None:
    _account_for(platform, list(odd_values.every()))


@pytest.mark.parametrize("round", range(_ROUNDS))
def test_random_values_under_random_names(
    platform: RunningPlatform, pytestconfig: pytest.Config, round: int
) -> None:
    seed = f"{pytestconfig.getoption('--hypothesis-seed') or 0}/{round}"
    _account_for(platform, list(odd_values.at_random(seed, 150)))


def _account_for(platform: RunningPlatform, members: list[dict[str, str]]) -> None:
    """Send an event with each of these members, and find each where the contract wants it."""
    run = uuid.uuid4().hex
    sent = {
        f"{run}-{number}": odd_values.odd_event(next(types), f"{run}-{number}", each)
        for types in [cycle(odd_values.TYPES)]
        for number, each in enumerate(members)
    }
    _send(platform, list(sent.values()))
    stored: set[str] = set()

    def unaccounted() -> set[str]:
        left = sent.keys() - _marked(platform) - stored
        stored.update(_stored_of(platform, left))
        return left - stored

    eventually(lambda: not unaccounted(), seconds=_SECONDS)
    kept = _marked(platform)
    stored |= _stored_of(platform, sent.keys() & kept)
    wrong = {
        raw: (marker in stored, marker in kept)
        for marker, raw in sent.items()
        if (marker in stored, marker in kept) not in _ENDS[judge(raw).quality]
    }
    assert not wrong


# For each kind of event: stored or not, and kept as a dead letter or not.
_ENDS = {
    Quality.GOOD: [(True, False)],
    Quality.BAD: [(False, True)],
    Quality.EITHER: [(True, False), (False, True)],
}


def _marked(platform: RunningPlatform) -> set[str]:
    """The marks of all dead letters, be they JSON or not."""
    found = (re.search(rb'"marker":\s*"([^"]+)"', original) for original in originals(platform.settings))
    return {mark[1].decode() for mark in found if mark}


def _stored_of(platform: RunningPlatform, markers: Iterable[str]) -> set[str]:
    return {
        marker
        for marker in markers
        if any(_stored(platform, marker, resource) for resource in ("widgets", "gadgets", "products"))
    }


AHEAD = """\
      - match: event.type == "gizmo.v1"
        path: /gizmos.v1
      - match: event.type == "widget.v1"
        path: /widgets.v2
"""


@pytest.fixture
def ahead(platform: RunningPlatform) -> Iterator[None]:
    """A subscription that names two paths that the code does not know.

    daprd is restarted with it: after a reload the old reader of the subscription takes one more event, which
    comes again only after `processingTimeout`.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sidecars, "write", _write_ahead)
        platform.restart("inventory-daprd")
    eventually(lambda: {"/gizmos.v1", "/widgets.v2"} <= _paths(platform))
    yield
    platform.restart("inventory-daprd")
    eventually(lambda: "/products.v1" in _paths(platform))


def _write_ahead(*arguments: Any) -> Files:
    files = write(*arguments)
    file = files.resources / "subscription.yaml"
    file.write_text(file.read_text().replace("    rules:\n", f"    rules:\n{AHEAD}", 1))
    return files


def _paths(platform: RunningPlatform) -> set[str]:
    """The paths of the subscription in force."""
    url = f"http://127.0.0.1:{platform.settings.dapr_http_port}/v1.0/metadata"
    metadata = httpx.get(url, headers=tokens.to_daprd(platform.settings)).json()
    return {rule["path"] for each in metadata["subscriptions"] for rule in each["rules"]}


@pytest.mark.usefixtures("ahead")
def test_events_on_an_unknown_path_are_retried_and_then_kept(platform: RunningPlatform) -> None:
    types = ("gizmo.v1", "widget.v1")
    sent = {
        f"{type} {number}": event(type, f"ahead {type} {number}") for type in types for number in range(20)
    }
    # One whose data daprd withholds over gRPC.
    sent["odd"] = event("gizmo.v1", "ahead odd", datacontenttype="application/x+json")
    before = _retried(platform)
    _send(platform, [encode(each | {"marker": name}) for name, each in sent.items()], types=KNOWN_AHEAD)
    eventually(lambda: sent.keys() <= _kept(platform).keys())
    assert _retried(platform) >= before + 4 * len(sent), "each is delivered once, and again at three retries"
    kept = _kept(platform)
    assert all(kept[name]["data"] == each["data"] for name, each in sent.items())
    assert not _stored_of(platform, [each["data"]["id"] for each in sent.values()])


def _retried(platform: RunningPlatform) -> float:
    return of_app(platform, "dapr_hero_events_total", path="unknown", verdict="retry")


# The types that are handled while the subscription is ahead.
KNOWN_AHEAD = ("gadget.v1", "thingamajig.v1")
