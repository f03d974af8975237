"""Runs a whole comparison, from the first platform to the report."""

import asyncio
import platform
import random
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil
from rich.console import Console
from rich.markdown import Markdown

from benchmarks.compare import reads, report, results, rounds
from benchmarks.compare.capabilities import capabilities
from benchmarks.compare.results import Extra, Measured, Round, Run
from benchmarks.compare.rounds import Size
from dapr_hero import settings
from dapr_hero.contract.mode import Mode
from dapr_hero.local import runtime
from dapr_local.install.pins import VERSION
from dapr_local.install.runtime import DaprRuntime
from dapr_local.progress import Advance, ConsoleReport

# The mode in which tracing and mTLS are measured: Dapr and the stores have the largest share of its cost.
_EXTRA_MODE = Mode.CUSTOM_GRPC


def compare(repeats: int, size: Size, page: Path, earlier: Path | None, console: Console) -> None:
    """Measure the modes, print the summary, and write the report to `page`. Raises: LocalError."""
    before = results.load(earlier) if earlier else None
    bars = ConsoleReport(console)
    found = runtime.obtain(settings.load(), bars)
    steps = repeats * (
        len(Mode) * (rounds.ROUND_STEPS + rounds.SINGLE_STEPS) + len(rounds.EXTRAS) * rounds.EXTRA_STEPS
    )
    with bars.track(f"comparing {len(Mode)} modes", steps, "steps") as advance:
        run = asyncio.run(_measure(repeats, size, found, advance))
    report.write(run, page)
    console.print(Markdown(report.summary(run)))
    if before:
        console.print(f"\nsince {before.date} ({before.versions}):")
        console.print(Markdown(report.against(run, before)))
    console.print(f"written: {page}, with its charts and figures next to it", highlight=False)


async def _measure(repeats: int, size: Size, found: DaprRuntime, advance: Advance) -> Run:
    measured: list[Round] = []
    singles: list[Measured] = []
    extras: list[Extra] = []
    for _ in range(repeats):
        # A random order, so that effects of warming up favour no mode.
        modes = random.sample(list(Mode), len(Mode))
        for mode in modes:
            measured.append(await rounds.run_round(mode, found, size, advance))
            singles.append(await rounds.run_single(mode, found, size, advance))
        more = random.sample(list(rounds.EXTRAS), len(rounds.EXTRAS))
        extras += [await rounds.run_extra(_EXTRA_MODE, what, found, size, advance) for what in more]
    return Run(
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        machine=_machine(),
        versions=(f"dapr-hero {version('dapr-hero')}, Dapr {VERSION}, Python {platform.python_version()}"),
        driver=reads.DRIVER,
        rounds=measured,
        singles=singles,
        extras=extras,
        capabilities={mode.value: await capabilities(mode) for mode in Mode},
    )


def _machine() -> str:
    memory = psutil.virtual_memory().total / 2**30
    return f"{psutil.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.machine()}"
