"""The table that leads the report: which mode and which delivery, for a rate."""

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

from benchmarks.compare import figures
from benchmarks.compare.figures import AnyFigure, single_values, values
from benchmarks.compare.lone_events import RATE
from benchmarks.compare.results import Run
from dapr_hero.contract.mode import Mode
from dapr_hero.local.assembly import INVENTORY_DAPRD

HEAD = ("", "delivery", *(mode.value for mode in Mode))


class _Row(NamedTuple):
    name: str
    figure: AnyFigure
    digits: int
    more_is_better: bool = False


_ROWS = (
    _Row(f"lone event ({RATE}/s): stored after, p50 (ms)", figures.lone_p50("widget"), 1),
    _Row("the same, p99 (ms)", figures.lone_p99("widget"), 1),
    _Row("the same, as a multiple of its publish call", figures.lone_ratio("widget"), 1),
    _Row("CPU per lone event, all processes (ms)", figures.lone_cpu("widget"), 1),
    _Row("CPU per lone event, inventory (ms)", figures.lone_cpu_of("widget", "inventory"), 1),
    _Row("idle sidecar (% of a core)", figures.idle_cpu(INVENTORY_DAPRD), 1),
    _Row("backlog: events/s", figures.event_rate("widget"), 0, more_is_better=True),
    _Row("backlog: CPU per event, all processes (µs)", figures.event_cpu("widget"), 0),
)


def rows(run: Run) -> list[list[str]]:
    """Return two rows of cells for each figure of a widget event; the best cell of both is bold."""
    return [line for row in _ROWS for line in _lines(run, row)]


def _lines(run: Run, row: _Row) -> list[list[str]]:
    single = [median(single_values(run, mode, row.figure)) for mode in Mode]
    bulk = [median(values(run, mode, row.figure)) for mode in Mode]
    best = (max if row.more_is_better else min)(*single, *bulk)
    return [
        [row.name, "one by one", *_cells(single, best, row.digits)],
        ["", "in bulk", *_cells(bulk, best, row.digits)],
    ]


def _cells(figures: Sequence[float], best: float, digits: int) -> list[str]:
    texts = [f"{each:,.{digits}f}" for each in figures]
    return [f"**{text}**" if each == best else text for text, each in zip(texts, figures, strict=True)]
