"""Reports what the local runner does: lines, and progress bars for long work."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from rich.console import Console
from rich.filesize import decimal
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from dapr_local.printable import printable

SECONDS_BETWEEN_LINES = 15.0

Advance = Callable[[int], None]


class Report(Protocol):
    """Shows progress; `unit` is "bytes" or the plural of what is counted."""

    def say(self, message: str) -> None:
        """Print one line."""

    def track(
        self, description: str, total: int | None, unit: str = "steps"
    ) -> AbstractContextManager[Advance]:
        """Show progress while the block runs; call what it gives with each amount done. No total: unknown."""


class ConsoleReport:
    """Bars on a terminal, a line now and then anywhere else."""

    def __init__(self, console: Console | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console or Console()
        self._clock = clock

    def say(self, message: str) -> None:
        """Print a message, its control characters escaped."""
        self._console.print(printable(message), markup=False, highlight=False, soft_wrap=True)

    def track(
        self, description: str, total: int | None, unit: str = "steps"
    ) -> AbstractContextManager[Advance]:
        """Show a bar with amount, share and time left; without a total, a spinner and the elapsed time."""
        if self._console.is_terminal:
            return self._bar(description, total, unit)
        return self._lines(description, total, unit)

    @contextmanager
    def _bar(self, description: str, total: int | None, unit: str) -> Iterator[Advance]:
        with Progress(*_columns(total, unit), console=self._console) as progress:
            task = progress.add_task(description, total=total)
            yield lambda amount: progress.advance(task, amount)

    @contextmanager
    def _lines(self, description: str, total: int | None, unit: str) -> Iterator[Advance]:
        start = said = self._clock()
        done = 0

        def advance(amount: int) -> None:
            nonlocal done, said
            done += amount
            if self._clock() - said >= SECONDS_BETWEEN_LINES:
                said = self._clock()
                self.say(f"{description}: {_amount(done, total, unit)}, {said - start:.0f} s")

        self.say(f"{description} …")
        yield advance
        self.say(f"{description}: done, {_amount(done, None, unit)} in {self._clock() - start:.0f} s")


def _columns(total: int | None, unit: str) -> list[ProgressColumn]:
    counted: ProgressColumn = DownloadColumn() if unit == "bytes" else MofNCompleteColumn()
    described = TextColumn("{task.description}", markup=False)
    if total is None:
        return [SpinnerColumn(), described, counted, TimeElapsedColumn()]
    return [
        described,
        BarColumn(),
        counted,
        TaskProgressColumn(),
        TimeRemainingColumn(elapsed_when_finished=True),
    ]


def _amount(done: int, total: int | None, unit: str) -> str:
    if unit == "bytes":
        text, whole = decimal(done), decimal(total or 0)
    else:
        text, whole = f"{done:,} {unit}", f"{total or 0:,}"
    return f"{text} of {whole} ({done / total:.0%})" if total else text
