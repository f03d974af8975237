"""Restarts, with tiny parts in the place of the real ones."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from dapr_local.errors import LocalError, PartDied
from dapr_local.parts.part import Stage
from dapr_local.supervise import supervisor
from dapr_local.supervise.runner import Runner
from dapr_local.supervise.supervisor import Supervisor
from tests.unit.dapr_local.supervise.workshop import Workshop


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "FIRST_PAUSE_SECONDS", 0.001)


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path)


async def until_restarted(runner: Runner, name: str, pid: int | None) -> None:
    async with asyncio.timeout(30):
        while runner.processes[name].pid == pid or name not in runner._watchers:
            await asyncio.sleep(0.01)


def kill(runner: Runner, name: str) -> int:
    pid = runner.processes[name].pid
    assert pid
    os.kill(pid, signal.SIGKILL)
    return pid


async def test_a_part_that_dies_is_restarted_and_the_others_keep_running(workshop: Workshop) -> None:
    workshop.part("store")
    workshop.part("service", Stage.SERVICE, needs=frozenset({"store"}))
    async with workshop.runner() as runner:
        watching = asyncio.create_task(Supervisor(runner, workshop.report).run())
        service = runner.processes["service"].pid
        for _ in range(2):
            await until_restarted(runner, "store", kill(runner, "store"))
        assert runner.processes["service"].pid == service
        watching.cancel()
    lines = [line for line in workshop.report.lines if "store" in line]
    assert lines[1] == "store was killed by SIGKILL; restarting it in 0.0 s"
    assert [line.partition(" (")[0] for line in (lines[0], lines[2])] == ["store is up", "store is up"]
    assert workshop.nothing_is_left()


async def test_parts_that_die_together_are_restarted_together(workshop: Workshop) -> None:
    for name in ("one", "two", "three"):
        workshop.part(name)
    async with workshop.runner() as runner:
        watching = asyncio.create_task(Supervisor(runner, workshop.report).run())
        pids = {name: kill(runner, name) for name in ("one", "two", "three")}
        for name, pid in pids.items():
            await until_restarted(runner, name, pid)
        watching.cancel()


async def test_a_part_that_keeps_dying_is_given_up_with_its_last_lines(workshop: Workshop) -> None:
    workshop.part("store")
    async with workshop.runner() as runner:
        watching = asyncio.create_task(Supervisor(runner, workshop.report).run())
        workshop.part(
            "store", code="print('no memory', flush=True); raise SystemExit(3)", ready=lambda: False
        )
        runner._parts["store"] = workshop.parts["store"]
        kill(runner, "store")
        with pytest.raises(LocalError) as caught:
            async with asyncio.timeout(60):
                await watching
    message = str(caught.value)
    assert message.startswith(
        "store died 5 times in 60 s. The last time, store exited with code 3; the end of "
    )
    assert message.endswith("no memory")
    assert len([line for line in workshop.report.lines if "restarting" in line]) == supervisor.MAX_DEATHS - 1
    assert workshop.nothing_is_left()


async def test_a_part_that_does_not_become_ready_again_counts_as_dead(workshop: Workshop) -> None:
    workshop.part("store")
    async with workshop.runner() as runner:
        watching = asyncio.create_task(Supervisor(runner, workshop.report).run())
        workshop.part("store", ready=lambda: False, ready_seconds=0.01)
        runner._parts["store"] = workshop.parts["store"]
        kill(runner, "store")
        with pytest.raises(
            LocalError, match=r"store died 5 times in 60 s\. The last time, store is not ready"
        ):
            async with asyncio.timeout(60):
                await watching
    assert workshop.nothing_is_left()


async def test_deaths_that_are_far_apart_are_not_counted_together(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "WINDOW_SECONDS", 0.0)
    workshop.part("store")
    async with workshop.runner() as runner:
        watching = asyncio.create_task(Supervisor(runner, workshop.report).run())
        for _ in range(supervisor.MAX_DEATHS + 1):
            await until_restarted(runner, "store", kill(runner, "store"))
        assert not watching.done()
        watching.cancel()


async def test_a_stop_during_a_pause_is_not_delayed(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "FIRST_PAUSE_SECONDS", 3600.0)
    monkeypatch.setattr(supervisor, "LONGEST_PAUSE_SECONDS", 3600.0)
    workshop.part("store")
    async with workshop.runner() as runner:
        watching = asyncio.create_task(Supervisor(runner, workshop.report).run())
        kill(runner, "store")
        async with asyncio.timeout(30):
            while not any("restarting" in line for line in workshop.report.lines):
                await asyncio.sleep(0.01)
        watching.cancel()
    assert workshop.nothing_is_left()


def test_pauses_grow_to_a_bound(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "FIRST_PAUSE_SECONDS", 0.2)
    monkeypatch.setattr(supervisor, "MAX_DEATHS", 100)
    watched = Supervisor(workshop.runner(), workshop.report)
    death = PartDied("store", "exited with code 1", "")
    assert [watched._pause_after(death) for _ in range(7)] == [0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]
