"""Progress: a bar on a terminal, a line now and then anywhere else."""

import io

import pytest
from rich.console import Console

from dapr_local.progress import SECONDS_BETWEEN_LINES, ConsoleReport


class Clock:
    """Time that passes when told."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def console(terminal: bool) -> tuple[Console, io.StringIO]:
    out = io.StringIO()
    return Console(file=out, force_terminal=terminal, width=100), out


def test_a_line_is_told_as_it_is() -> None:
    target, out = console(terminal=False)
    line = "[red]set[/red] DAPR_HERO_DAPRD_PATH=" + "x" * 200
    ConsoleReport(target).say(line)
    assert out.getvalue() == f"{line}\n"


def test_without_a_terminal_a_line_comes_now_and_then() -> None:
    target, out = console(terminal=False)
    clock = Clock()
    with ConsoleReport(target, clock).track("Building", 2000, "packages") as advance:
        advance(400)
        clock.now += SECONDS_BETWEEN_LINES
        advance(100)
        advance(100)
        clock.now += SECONDS_BETWEEN_LINES
        advance(1400)
    assert out.getvalue().splitlines() == [
        "Building …",
        "Building: 500 packages of 2,000 (25%), 15 s",
        "Building: 2,000 packages of 2,000 (100%), 30 s",
        "Building: done, 2,000 packages in 30 s",
    ]


def test_bytes_are_told_as_such() -> None:
    target, out = console(terminal=False)
    clock = Clock()
    with ConsoleReport(target, clock).track("Downloading", None, "bytes") as advance:
        clock.now += SECONDS_BETWEEN_LINES
        advance(45_000_000)
    assert "Downloading: 45.0 MB, 15 s" in out.getvalue().splitlines()


def test_a_failure_is_not_reported_as_done() -> None:
    target, out = console(terminal=False)
    with pytest.raises(OSError, match="gone"), ConsoleReport(target).track("Downloading", 10, "bytes"):
        raise OSError("gone")
    assert "done" not in out.getvalue()


@pytest.mark.parametrize(
    ("total", "unit", "shown"),
    [
        (2_000_000, "bytes", "2.0/2.0 MB"),
        (2_000_000, "packages", "2000000/2000000"),
        (None, "modules", "2000000/?"),
    ],
)
def test_a_terminal_gets_a_bar(total: int | None, unit: str, shown: str) -> None:
    target, out = console(terminal=True)
    with ConsoleReport(target).track("Working [now]", total, unit) as advance:
        advance(2_000_000)
    assert "Working [now]" in out.getvalue()
    assert shown in out.getvalue()
    assert ("100%" in out.getvalue()) == (total is not None)
