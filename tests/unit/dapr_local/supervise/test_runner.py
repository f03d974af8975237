"""The order of the start and the stop, with tiny parts in the place of the real ones."""

import asyncio
import os
import re
import signal
import time
from pathlib import Path

import pytest

from dapr_local.errors import PartDied, PartNotReady
from dapr_local.parts.part import Stage
from dapr_local.supervise.process import Process
from tests.unit.dapr_local.scripts import runs, until
from tests.unit.dapr_local.supervise.workshop import Workshop


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path)


def _one_of_each(workshop: Workshop) -> None:
    workshop.part("store", Stage.STORE)
    workshop.part("authority", Stage.AUTHORITY)
    workshop.part("sidecar", Stage.SIDECAR, needs=frozenset({"store", "authority"}))
    workshop.part("service", Stage.SERVICE, needs=frozenset({"sidecar"}))


async def test_all_parts_run_and_are_stopped_in_order(workshop: Workshop) -> None:
    _one_of_each(workshop)

    async with workshop.runner() as runner:
        assert runner.processes == workshop.made
        assert all(runs(process.pid) for process in runner.processes.values())
        assert {line.split()[0] for line in workshop.report.lines} == workshop.parts.keys()

    assert workshop.ended.read_text().split() == ["service", "sidecar", "authority", "store"]
    assert workshop.nothing_is_left()


async def test_a_part_that_cannot_start_stops_the_others_in_order(workshop: Workshop) -> None:
    _one_of_each(workshop)
    code, needs = "raise SystemExit('no')", frozenset({"sidecar"})
    workshop.part("service", Stage.SERVICE, code=code, needs=needs, ready=lambda: False)

    with pytest.raises(PartDied, match=r"^service exited with code 1"):
        await workshop.runner().__aenter__()

    assert workshop.ended.read_text().split() == ["sidecar", "authority", "store"]
    assert workshop.nothing_is_left()


async def test_a_part_that_is_never_ready_stops_the_others(workshop: Workshop) -> None:
    _one_of_each(workshop)
    workshop.part("sidecar", Stage.SIDECAR, ready=lambda: False, ready_seconds=0.5)

    with pytest.raises(PartNotReady, match=r"^sidecar is not ready"):
        await workshop.runner().__aenter__()

    assert workshop.nothing_is_left()


async def test_a_store_that_dies_while_others_still_start_ends_the_start(workshop: Workshop) -> None:
    workshop.part("store")

    def kill_the_store() -> bool:
        workshop.made["store"].kill()
        return False

    workshop.part("sidecar", Stage.SIDECAR, needs=frozenset({"store"}), ready=kill_the_store)
    began = time.monotonic()

    with pytest.raises(PartDied, match=r"^store was killed by SIGKILL"):
        await workshop.runner().__aenter__()

    assert time.monotonic() - began < 20
    assert workshop.nothing_is_left()


async def test_a_start_that_is_cancelled_leaves_nothing(workshop: Workshop) -> None:
    workshop.part("store")
    workshop.part("sidecar", Stage.SIDECAR, needs=frozenset({"store"}), ready=lambda: False)
    starting = asyncio.ensure_future(workshop.runner().__aenter__())
    await until(lambda: "sidecar" in workshop.made and workshop.made["sidecar"].running)

    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting

    assert workshop.nothing_is_left()


async def test_a_second_cancellation_does_not_wait(workshop: Workshop) -> None:
    stubborn = "import signal, time; signal.signal(signal.SIGTERM, lambda *_: print('deaf', flush=True))\n"
    workshop.part(
        "store", code=f"{stubborn}print('up', flush=True)\nwhile True: time.sleep(600)", stop_seconds=600
    )
    up = asyncio.Event()

    async def run() -> None:
        async with workshop.runner():
            up.set()
            await asyncio.Event().wait()

    running = asyncio.ensure_future(run())
    await up.wait()
    running.cancel()
    await until(lambda: "deaf" in workshop.made["store"].tail())

    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert workshop.nothing_is_left()


async def test_a_death_is_reported_with_its_cause(workshop: Workshop) -> None:
    workshop.part("store")

    async with workshop.runner() as runner:
        _die(runner.processes["store"])
        death = await runner.death()

    assert (death.name, death.how) == ("store", "was killed by SIGKILL")
    assert re.match(r"store was killed by SIGKILL; the end of .*\n  up$", str(death), re.DOTALL)


def _die(process: Process) -> None:
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)


async def test_a_stop_on_request_is_no_death(workshop: Workshop) -> None:
    _one_of_each(workshop)

    async with workshop.runner() as runner:
        first = runner.processes["store"].pid
        await runner.kill("store")
        assert not runner.processes["store"].running
        await runner.start("store")
        await runner.restart("sidecar")
        await runner.stop("service")
        assert runner.processes["store"].pid != first
        assert runner.processes["store"].running
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await runner.death()
        _die(runner.processes["store"])
        assert (await runner.death()).name == "store"

    assert workshop.ended.read_text().split() == ["sidecar", "service", "sidecar", "authority"]
    assert workshop.nothing_is_left()
