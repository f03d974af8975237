"""The output of `dapr-hero up`: the progress of the start, then a table of the parts and commands to try."""

import asyncio
import signal
import time
from contextlib import suppress
from enum import StrEnum

from rich.console import Console
from rich.table import Table

from dapr_hero.local import assembly, examples, services
from dapr_hero.local.platform import Platform
from dapr_hero.settings import Settings
from dapr_local.install.runtime import DaprRuntime
from dapr_local.parts import valkey
from dapr_local.progress import ConsoleReport
from dapr_local.supervise.supervisor import Supervisor


class Parts(StrEnum):
    """A choice of the parts to start."""

    ALL = "all"
    PRODUCTS = "products"
    SIDECARS = "sidecars"

    @property
    def names(self) -> frozenset[str]:
        inventory = {services.INVENTORY, assembly.INVENTORY_DAPRD}
        match self:
            case Parts.PRODUCTS:
                return assembly.ALL - inventory
            case Parts.SIDECARS:
                return assembly.ALL - {services.INVENTORY, services.PRODUCTS}
            case _:
                return assembly.ALL


async def run_platform(
    settings: Settings,
    found: DaprRuntime,
    parts: Parts,
    *,
    replicas: int,
    fresh: bool,
    console: Console,
) -> None:
    """Run the platform until SIGINT, SIGTERM or, when the terminal is closed, SIGHUP. Raises: LocalError.

    A second signal kills the parts. Output that cannot be written is dropped: it never stops the platform.
    """
    running = asyncio.ensure_future(
        _run(settings, found, parts, replicas=replicas, fresh=fresh, console=console)
    )
    loop = asyncio.get_running_loop()
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(each) is not signal.SIG_IGN:  # as nohup has it
            loop.add_signal_handler(each, running.cancel)
    with suppress(asyncio.CancelledError):
        await running


async def _run(
    settings: Settings, found: DaprRuntime, parts: Parts, *, replicas: int, fresh: bool, console: Console
) -> None:
    report = ConsoleReport(console)
    began = time.monotonic()
    further = [settings.replica(number) for number in range(2, replicas + 1)]
    try:
        async with Platform(
            settings, found, report, parts=parts.names, replicas=further, fresh=fresh
        ) as platform:
            console.print(f"ready in {time.monotonic() - began:.1f} s", style="bold green")
            _show(platform, parts, settings.port_offset, console)
            try:
                await Supervisor(platform.runner, report).run()
            finally:
                console.print("stopping: services, sidecars, stores")
    finally:
        console.print("stopped; nothing is left running", style="dim")


def _show(platform: Platform, parts: Parts, offset: int, console: Console) -> None:
    s = platform.settings
    table = Table(title=f"dapr-hero, mode {s.dapr_mode}", title_justify="left")
    for column in ("part", "where", "pid"):
        table.add_column(column)
    where = {
        services.PRODUCTS: f"grpc 127.0.0.1:{s.products_port}",
        assembly.PRODUCTS_DAPRD: f"http {s.products_dapr_http_port}, grpc {s.products_dapr_grpc_port}",
        valkey.NAME: f"127.0.0.1:{s.valkey_port}",
        valkey.TRIMMER: "frees the memory of handled events",
        "postgres": f"127.0.0.1:{s.postgres_port}",
        "sentry": f"127.0.0.1:{s.sentry_port} (mTLS between the sidecars)",
        "collector": f"http://127.0.0.1:{s.otlp_port} (OTLP: spans on their way to Zipkin)",
        "zipkin": f"http://127.0.0.1:{s.zipkin_port}/zipkin",
    }
    for number, each in enumerate(platform.inventories, start=1):
        name = assembly.replica(number)
        where[name] = f"{each.inventory_url}/docs"
        where[f"{name}-daprd"] = f"http {each.dapr_http_port}, grpc {each.dapr_grpc_port}"
    for name, process in platform.runner.processes.items():
        table.add_row(name, where.get(name, ""), str(process.pid))
    console.print(table)
    logs = next(iter(platform.runner.processes.values())).log.parent
    console.print(f"logs: {logs}", soft_wrap=True, highlight=False)
    if parts is Parts.ALL:
        _show_examples(s, offset, console)
    console.print("Ctrl-C stops everything in order.", style="dim")


def _show_examples(s: Settings, offset: int, console: Console) -> None:
    hero = examples.command(offset)
    console.print("\ntry, in another terminal:", style="bold")
    for line in (
        f"{hero} publish widget --id w1 --price 19.99",
        f"{hero} get widget w1",
        f"{hero} dead-letters list",
        f"curl {s.inventory_url}/v1/widgets/w1",
        f"curl {s.inventory_url}/readyz",
    ):
        console.print(f"  {line}", markup=False, highlight=False, soft_wrap=True)
