"""`make compare`: compares the four modes on the real platform."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from benchmarks.compare import rounds
from benchmarks.compare.comparison import compare
from dapr_hero.cli import terminal
from dapr_hero.loopback import bypass_proxies
from dapr_hero.settings import SettingsError
from dapr_local.errors import LocalError

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    repeats: Annotated[int, typer.Option("--rounds", min=1, help="How many times each mode is measured")] = 5,
    quick: Annotated[bool, typer.Option("--quick", help="One round with fewer events: a first look")] = False,
    output: Annotated[
        Path, typer.Option(help="Path of the report; figures and charts are written next to it")
    ] = Path("docs/comparison.md"),
    against: Annotated[
        Path | None, typer.Option(help="The JSON of an earlier run, to show what has changed")
    ] = None,
) -> None:
    """Measure the four modes on the real platform: CPU, rate, latency, memory; and write a report.

    Each round starts a new platform for each mode, in random order. Five rounds take half an hour. Leave the
    machine idle in the meantime.
    """
    size = rounds.QUICK if quick else rounds.FULL
    compare(1 if quick else repeats, size, output, against, Console())


if __name__ == "__main__":
    bypass_proxies()
    sys.exit(terminal.run(app, (LocalError, SettingsError)))
