"""The order of the start and the stop, with tiny parts in the place of the real ones."""

import asyncio
import os
import re
import signal
import socket
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from dapr_hero.local import assembly, ports
from dapr_hero.local.data import DataDir
from dapr_hero.local.platform import Platform
from dapr_hero.local.ports import free_ports, on_free_ports
from dapr_hero.local.runtime import DaprRuntime
from dapr_hero.settings import Settings
from dapr_local.errors import DataError, LocalError, PartDied, PartNotReady, PortTaken
from dapr_local.parts.part import Part, Stage
from dapr_local.progress import Advance
from dapr_local.supervise.process import Process
from tests.unit.local.scripts import FOREVER, runs, script, until

RUNTIME = DaprRuntime(Path("daprd"), Path("sentry"))


class Report:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, message: str) -> None:
        self.lines.append(message)

    def track(
        self, description: str, total: int | None, unit: str = "steps"
    ) -> AbstractContextManager[Advance]:
        raise NotImplementedError


class Workshop:
    """Makes a platform of tiny parts, and keeps their processes and the order in which they ended."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.settings = on_free_ports(data_dir=folder / "data")
        self.report = Report()
        self.parts: dict[str, Part] = {}
        self.made: dict[str, Process] = {}
        self.ended = folder / "ended"
        monkeypatch.setattr(assembly, "parts", lambda *_, **__: self.parts)

    def part(
        self,
        name: str,
        stage: Stage = Stage.STORE,
        *,
        code: str = "",
        needs: frozenset[str] = frozenset(),
        ready: Callable[[], bool] | None = None,
        ready_seconds: float = 30.0,
        stop_seconds: float = 30.0,
        **ports: int,
    ) -> None:
        """A part that notes its name when it is asked to end; ready when it has said so."""
        noted = (
            "import signal, sys\n"
            f"def end(*_):\n open({str(self.ended)!r}, 'a').write({name + ' '!r}); sys.exit()\n"
            f"signal.signal(signal.SIGTERM, end)\n"
        )

        async def launch() -> Process:
            self.made[name] = script(self.folder, code or noted + FOREVER, name)
            return self.made[name]

        async def is_ready() -> bool:
            return ready() if ready else bool(self.made[name].tail())

        self.parts[name] = Part(
            name,
            stage,
            launch,
            is_ready,
            needs=needs,
            ports=ports,
            ready_seconds=ready_seconds,
            stop_seconds=stop_seconds,
        )

    def platform(self) -> Platform:
        return Platform(self.settings, RUNTIME, self.report)

    def nothing_is_left(self) -> bool:
        """Whether no process runs, and the data directory is free."""
        DataDir.open(self.settings).close()
        return bool(self.made) and not any(runs(process.pid) for process in self.made.values())


@pytest.fixture
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    return Workshop(tmp_path, monkeypatch)


def _one_of_each(workshop: Workshop) -> None:
    workshop.part("store", Stage.STORE)
    workshop.part("authority", Stage.AUTHORITY)
    workshop.part("sidecar", Stage.SIDECAR, needs=frozenset({"store", "authority"}))
    workshop.part("service", Stage.SERVICE, needs=frozenset({"sidecar"}))


async def test_the_settings_in_force_have_tokens_of_their_own_by_default(workshop: Workshop) -> None:
    workshop.part("store")

    async with workshop.platform() as platform:
        found = platform.settings
        assert all(each.dapr_api_token == found.dapr_api_token for each in platform.inventories)

    assert len({found.dapr_api_token, found.app_api_token, ""}) == 3


async def test_all_parts_run_and_are_stopped_in_order(workshop: Workshop) -> None:
    _one_of_each(workshop)

    async with workshop.platform() as platform:
        assert platform.processes == workshop.made
        assert all(runs(process.pid) for process in platform.processes.values())
        assert {line.split()[0] for line in workshop.report.lines} == workshop.parts.keys()
        with pytest.raises(DataError, match="in use"):
            DataDir.open(workshop.settings)

    assert workshop.ended.read_text().split() == ["service", "sidecar", "authority", "store"]
    assert workshop.nothing_is_left()


async def test_a_part_that_cannot_start_stops_the_others_in_order(workshop: Workshop) -> None:
    _one_of_each(workshop)
    code, needs = "raise SystemExit('no')", frozenset({"sidecar"})
    workshop.part("service", Stage.SERVICE, code=code, needs=needs, ready=lambda: False)

    with pytest.raises(PartDied, match=r"^service exited with code 1"):
        await workshop.platform().__aenter__()

    assert workshop.ended.read_text().split() == ["sidecar", "authority", "store"]
    assert workshop.nothing_is_left()


async def test_a_part_that_is_never_ready_stops_the_others(workshop: Workshop) -> None:
    _one_of_each(workshop)
    workshop.part("sidecar", Stage.SIDECAR, ready=lambda: False, ready_seconds=0.5)

    with pytest.raises(PartNotReady, match=r"^sidecar is not ready"):
        await workshop.platform().__aenter__()

    assert workshop.nothing_is_left()


async def test_a_store_that_dies_while_others_still_start_ends_the_start(workshop: Workshop) -> None:
    workshop.part("store")

    def kill_the_store() -> bool:
        workshop.made["store"].kill()
        return False

    workshop.part("sidecar", Stage.SIDECAR, needs=frozenset({"store"}), ready=kill_the_store)
    began = time.monotonic()

    with pytest.raises(PartDied, match=r"^store was killed by SIGKILL"):
        await workshop.platform().__aenter__()

    assert time.monotonic() - began < 20
    assert workshop.nothing_is_left()


async def test_a_start_that_is_cancelled_leaves_nothing(workshop: Workshop) -> None:
    workshop.part("store")
    workshop.part("sidecar", Stage.SIDECAR, needs=frozenset({"store"}), ready=lambda: False)
    starting = asyncio.ensure_future(workshop.platform().__aenter__())
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
        async with workshop.platform():
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

    async with workshop.platform() as platform:
        _die(platform.processes["store"])
        death = await platform.death()

    assert (death.name, death.how) == ("store", "was killed by SIGKILL")
    assert re.match(r"store was killed by SIGKILL; the end of .*\n  up$", str(death), re.DOTALL)


def _die(process: Process) -> None:
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)


async def test_what_is_done_on_purpose_is_no_death(workshop: Workshop) -> None:
    _one_of_each(workshop)

    async with workshop.platform() as platform:
        first = platform.processes["store"].pid
        await platform.kill("store")
        assert not platform.processes["store"].running
        await platform.start("store")
        await platform.restart("sidecar")
        await platform.stop("service")
        assert platform.processes["store"].pid != first
        assert platform.processes["store"].running
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await platform.death()
        _die(platform.processes["store"])
        assert (await platform.death()).name == "store"

    assert workshop.ended.read_text().split() == ["sidecar", "service", "sidecar", "authority"]
    assert workshop.nothing_is_left()


async def test_nothing_is_started_when_a_port_is_taken(workshop: Workshop) -> None:
    workshop.part("store", DAPR_HERO_VALKEY_PORT=workshop.settings.valkey_port)

    with (
        socket.create_server(("127.0.0.1", workshop.settings.valkey_port)),
        pytest.raises(PortTaken, match="set DAPR_HERO_VALKEY_PORT or DAPR_HERO_PORT_OFFSET"),
    ):
        await workshop.platform().__aenter__()

    assert workshop.made == {}


async def test_a_chosen_port_that_is_taken_in_the_meantime_is_chosen_again(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    workshop.settings = workshop.settings.model_copy(update={"sentry_port": 0})
    with socket.create_server(("127.0.0.1", 0)) as other:
        offered = iter([[other.getsockname()[1]], free_ports(1)])
        monkeypatch.setattr(ports, "free_ports", lambda *_: next(offered))

        def parts(settings: Settings, *_: object, **__: object) -> dict[str, Part]:
            workshop.part("sentry", DAPR_HERO_SENTRY_PORT=settings.sentry_port)
            return workshop.parts

        monkeypatch.setattr(assembly, "parts", parts)
        async with workshop.platform() as platform:
            assert platform.settings.sentry_port not in (0, other.getsockname()[1])


async def test_the_offset_is_applied(workshop: Workshop) -> None:
    shifted = Platform(
        workshop.settings.model_copy(update={"port_offset": 7}), RUNTIME, workshop.report
    ).settings

    assert shifted.valkey_port == workshop.settings.valkey_port + 7
    assert shifted.port_offset == 0


def test_a_part_that_does_not_exist(tmp_path: Path) -> None:
    data = DataDir.open(Settings(data_dir=tmp_path / "data"))

    with pytest.raises(LocalError, match=r"^no part is named redis; there are inventory, "):
        assembly.parts(Settings(), data, RUNTIME, Report(), chosen={"redis", "valkey"})

    data.close()


def test_the_parts_and_their_order(tmp_path: Path) -> None:
    data = DataDir.open(Settings(data_dir=tmp_path / "data"))

    parts = assembly.parts(ports.choose(Settings())[0], data, RUNTIME, Report())

    stores = {"valkey", "postgres", "sentry"}
    assert parts.keys() == assembly.ALL
    assert {name for name, part in parts.items() if not part.needs} == {*stores, "zipkin"}
    assert parts["inventory"].needs == parts["inventory-daprd"].needs == stores
    assert parts["products"].needs == parts["products-daprd"].needs == {"valkey", "sentry"}
    used = [port for part in parts.values() for port in part.ports.values()]
    assert len(set(used)) == len(used)
    data.close()
