"""The command `setup`."""

import asyncio

import typer
from rich.console import Console

from dapr_hero import settings
from dapr_hero.local import runtime
from dapr_hero.local.program import PROGRAM
from dapr_local.install import collector
from dapr_local.parts import zipkin
from dapr_local.progress import ConsoleReport

console = Console()
app = typer.Typer(add_completion=False)


@app.command()
def setup() -> None:
    """Get what the platform needs: Dapr's binaries, the OpenTelemetry Collector and Zipkin.

    Later runs find them in the cache.
    """
    report = ConsoleReport(console)
    found = runtime.obtain(settings.load(), report)
    collector.obtain(collector.Sources(PROGRAM), report)
    asyncio.run(zipkin.fetch(PROGRAM.cache, report))
    console.print(f"ready: {found.daprd}", soft_wrap=True)
