"""The parts, the table and the last line of `dapr-hero up`, with tiny parts in the place of the real ones."""

import asyncio
import io
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from dapr_hero.cli import up
from dapr_hero.cli.up import Parts
from dapr_hero.local import assembly
from dapr_hero.local.chosen_ports import on_free_ports
from dapr_hero.settings import port_fields
from dapr_local.parts.part import Part
from tests.unit.dapr_local.scripts import until
from tests.unit.dapr_local.supervise.workshop import Workshop
from tests.unit.local.test_platform import RUNTIME

SHARED = {"valkey", "stream-trimmer", "postgres", "collector", "zipkin", "sentry"}
LAST_LINE = "Ctrl-C stops everything in order."


class Screen(Workshop):
    """A console of a width that wraps nothing, and the parts that were asked for."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.settings = on_free_ports(data_dir=folder / "data", port_offset=7)
        self.output = io.StringIO()
        self.console = Console(file=self.output, width=200)
        self.asked: dict[str, Any] = {}

    def assembled(self, *_: object, **asked: Any) -> dict[str, Part]:
        self.asked = asked
        return self.parts

    @property
    def lines(self) -> list[str]:
        return self.output.getvalue().splitlines()

    @asynccontextmanager
    async def running(self, parts: Parts, *, replicas: int = 1) -> AsyncIterator[asyncio.Task[None]]:
        """The command from when it has shown everything until SIGTERM has ended it."""
        run = up.run_platform(
            self.settings, RUNTIME, parts, replicas=replicas, fresh=False, console=self.console
        )
        running = asyncio.create_task(run)
        try:
            await until(lambda: LAST_LINE in self.lines or running.done(), 30)
            yield running
            signal.raise_signal(signal.SIGTERM)
            async with asyncio.timeout(30):
                await running
        finally:
            running.cancel()


@pytest.fixture
def screen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Screen]:
    """One whose process outlives the signals; SIGHUP is ignored, as nohup has it."""
    monkeypatch.setenv("COLUMNS", "200")
    for name in port_fields():
        monkeypatch.delenv(f"DAPR_HERO_{name.upper()}", raising=False)
    screen = Screen(tmp_path)
    monkeypatch.setattr(assembly, "parts", screen.assembled)
    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    signal.signal(signal.SIGTERM, lambda *_: None)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    yield screen
    for each, handler in before.items():
        signal.signal(each, handler)


@pytest.mark.parametrize(
    ("parts", "started"),
    [
        (Parts.ALL, {"inventory", "inventory-daprd", "products", "products-daprd"}),
        (Parts.PRODUCTS, {"products", "products-daprd"}),
        (Parts.SIDECARS, {"inventory-daprd", "products-daprd"}),
    ],
)
def test_each_choice_has_the_servers_and_its_services_and_sidecars(parts: Parts, started: set[str]) -> None:
    assert parts.names == SHARED | started


def row(screen: Screen, name: str) -> list[str]:
    [found] = [line for line in screen.lines if line.startswith(f"│ {name} ")]
    return [cell.strip() for cell in found.strip("│").split("│")]


async def test_the_table_says_where_each_part_is_and_its_process(screen: Screen) -> None:
    names = ("products", "products-daprd", "postgres", "inventory-2", "inventory-2-daprd", "stranger")
    for name in names:
        screen.part(name)
    async with screen.running(Parts.ALL, replicas=2):
        pids = {name: str(screen.made[name].pid) for name in names}
    of, offset = screen.settings, 7
    second = 100 + offset
    where = {
        "products": f"grpc 127.0.0.1:{of.products_port + offset}",
        "products-daprd": (
            f"http {of.products_dapr_http_port + offset}, grpc {of.products_dapr_grpc_port + offset}"
        ),
        "postgres": f"127.0.0.1:{of.postgres_port + offset}",
        "inventory-2": f"http://127.0.0.1:{of.inventory_port + second}/docs",
        "inventory-2-daprd": f"http {of.dapr_http_port + second}, grpc {of.dapr_grpc_port + second}",
        "stranger": "",
    }
    assert {name: row(screen, name) for name in names} == {
        name: [name, where[name], pids[name]] for name in names
    }
    assert f"logs: {screen.folder}" in screen.lines
    assert any(line.strip() == "dapr-hero, mode sdk-http" for line in screen.lines)


async def test_the_chosen_parts_and_replicas_are_those_that_start(screen: Screen) -> None:
    screen.part("store")
    async with screen.running(Parts.PRODUCTS):
        assert (screen.asked["chosen"], screen.asked["replicas"]) == (Parts.PRODUCTS.names, [])
    screen.output.truncate(0)
    async with screen.running(Parts.ALL, replicas=3):
        ports = [each.inventory_port - screen.settings.inventory_port for each in screen.asked["replicas"]]
        assert (screen.asked["chosen"], ports) == (Parts.ALL.names, [107, 207])


@pytest.mark.parametrize("parts", Parts)
async def test_commands_to_try_are_shown_for_the_whole_platform_only(parts: Parts, screen: Screen) -> None:
    screen.part("store")
    async with screen.running(parts):
        pass
    tried = [line for line in screen.lines if line.startswith("  ")]
    if parts is not Parts.ALL:
        assert tried == []
        return
    assert len(tried) == 5
    assert tried[0].startswith("  DAPR_HERO_PORT_OFFSET=7 ")
    assert tried[0].endswith(" publish widget --id w1 --price 19.99")
    assert tried[-1] == f"  curl http://127.0.0.1:{screen.settings.inventory_port + 7}/readyz"


async def test_a_signal_stops_everything_and_one_that_is_ignored_does_not(screen: Screen) -> None:
    screen.part("store")
    async with screen.running(Parts.SIDECARS) as running:
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        assert screen.lines[-1] == LAST_LINE
        assert not running.done()
    assert screen.lines[-2:] == ["stopping: services, sidecars, stores", "stopped; nothing is left running"]
    assert screen.nothing_is_left()


async def test_a_start_that_fails_is_an_error_and_shows_no_table(screen: Screen) -> None:
    screen.part("store", code="raise SystemExit('no')", ready=lambda: False)
    with pytest.raises(Exception, match="store"):
        await up.run_platform(
            screen.settings, RUNTIME, Parts.ALL, replicas=1, fresh=False, console=screen.console
        )
    assert screen.lines[-1] == "stopped; nothing is left running"
    assert not any("ready in" in line or line.startswith("│") for line in screen.lines)
