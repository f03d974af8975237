"""The start of the command line: the time of a command, and of the imports that it makes.

python -m benchmarks.imports   needs a running platform for `get`
"""

import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

_COMMANDS = ("--version", "get widget")
_RUNS = 7
_MOST_EXPENSIVE = 5


class _Import(NamedTuple):
    """A module; microseconds without and with its own imports."""

    name: str
    own: int
    all: int


def main() -> None:
    """Print a row for each command."""
    table = Table("command", "wall (ms)", "imports (ms)", "most expensive packages (ms)")
    for command in _COMMANDS:
        modules = _imports(command)
        own = sum(each.own for each in modules)
        packages = sorted((each for each in modules if "." not in each.name), key=lambda each: -each.all)
        named = ", ".join(f"{each.name} {each.all / 1000:.0f}" for each in packages[:_MOST_EXPENSIVE])
        table.add_row(command, f"{_milliseconds(command):.0f}", f"{own / 1000:.0f}", named)
    Console().print(table)


def _milliseconds(command: str) -> float:
    """Return the median wall time of a command, in milliseconds."""
    times = []
    for _ in range(_RUNS):
        began = time.perf_counter()
        _run([Path(sys.executable).with_name("dapr-hero"), *command.split()])
        times.append((time.perf_counter() - began) * 1000)
    return median(times)


def _imports(command: str) -> list[_Import]:
    """Return the imports that a command makes."""
    done = _run([sys.executable, "-X", "importtime", "-m", "dapr_hero", *command.split()])
    lines = [line.removeprefix("import time:").split("|") for line in done.stderr.splitlines()]
    return [
        _Import(cells[2].strip(), int(cells[0]), int(cells[1]))
        for cells in lines
        if len(cells) == 3 and cells[0].strip().isdecimal()
    ]


def _run(command: list[str | Path]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603


if __name__ == "__main__":
    main()
