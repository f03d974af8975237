"""`dapr-hero compare`: a whole comparison, from the first platform to the report."""

import asyncio
import platform
import random
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil
from rich.console import Console
from rich.markdown import Markdown

from dapr_hero import settings
from dapr_hero.compare import course, reads, report, results
from dapr_hero.compare.course import Size
from dapr_hero.compare.results import Extra, Round, Run
from dapr_hero.compare.traits import traits
from dapr_hero.contract.mode import Mode
from dapr_hero.local import runtime
from dapr_hero.local.progress import Advance, ConsoleReport
from dapr_hero.local.runtime import DaprRuntime

# In which tracing and mTLS are measured: there Dapr and the stores are the greatest part of the cost.
_EXTRA_MODE = Mode.CUSTOM_GRPC


def compare(rounds: int, size: Size, page: Path, earlier: Path | None, console: Console) -> None:
    """Measure, show the summary, and write the report. Raises: LocalError."""
    before = results.load(earlier) if earlier else None
    bars = ConsoleReport(console)
    found = runtime.obtain(settings.load(), bars)
    steps = rounds * (len(Mode) * course.ROUND_STEPS + len(course.EXTRAS) * course.EXTRA_STEPS)
    with bars.track(f"comparing {len(Mode)} modes", steps, "steps") as advance:
        run = asyncio.run(_measure(rounds, size, found, advance))
    report.write(run, page)
    console.print(Markdown(report.summary(run)))
    if before:
        console.print(f"\nsince {before.date} ({before.versions}):")
        console.print(Markdown(report.against(run, before)))
    console.print(f"written: {page}, with its pictures and figures beside it", highlight=False)


async def _measure(rounds: int, size: Size, found: DaprRuntime, advance: Advance) -> Run:
    measured: list[Round] = []
    extras: list[Extra] = []
    for _ in range(rounds):
        # In random order: what warms up or wears out must not favour any.
        modes = random.sample(list(Mode), len(Mode))
        measured += [await course.run_round(mode, found, size, advance) for mode in modes]
        more = random.sample(list(course.EXTRAS), len(course.EXTRAS))
        extras += [await course.run_extra(_EXTRA_MODE, what, found, size, advance) for what in more]
    return Run(
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        machine=_machine(),
        versions=(
            f"dapr-hero {version('dapr-hero')}, Dapr {runtime.VERSION}, Python {platform.python_version()}"
        ),
        driver=reads.DRIVER,
        rounds=measured,
        extras=extras,
        traits={mode.value: await traits(mode) for mode in Mode},
    )


def _machine() -> str:
    memory = psutil.virtual_memory().total / 2**30
    return f"{psutil.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.machine()}"
