"""A part is a description: what it leaves out is nothing, and it never changes."""

from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from dapr_local.parts.part import Part, Stage
from dapr_local.supervise.process import Process


async def launch() -> Process:
    return Process("store", ["true"], Path("store.log"))


async def ready() -> bool:
    return True


def test_parts_stop_before_those_that_they_use() -> None:
    assert sorted(Stage, reverse=True) == [Stage.SERVICE, Stage.SIDECAR, Stage.AUTHORITY, Stage.STORE]


async def test_a_part_that_says_no_more_needs_nothing_and_does_nothing_once_it_is_ready() -> None:
    part = Part("store", Stage.STORE, launch, ready)
    assert (part.needs, part.ports) == (frozenset(), {})
    await part.after_ready()
    assert 0 < part.stop_seconds < part.ready_seconds


def test_parts_do_not_share_their_ports() -> None:
    first, second = (Part(name, Stage.STORE, launch, ready) for name in ("first", "second"))
    assert first.ports is not second.ports


def test_a_description_cannot_be_changed() -> None:
    part = Part("store", Stage.STORE, launch, ready, ports={"STORE_PORT": 1})
    with pytest.raises(FrozenInstanceError):
        part.name = "other"  # type: ignore[misc]
    assert part.name == "store"
