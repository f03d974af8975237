"""Single figures of a round, and what they are over all rounds of a mode."""

from collections.abc import Callable, Sequence
from statistics import median, quantiles

from benchmarks.compare.results import Measured, Round, Run
from benchmarks.compare.rounds import MIXED, NOTHING
from dapr_hero.contract.kinds import KINDS
from dapr_hero.contract.mode import Mode

Figure = Callable[[Round], float]
# Also of a platform to which events are delivered one by one.
AnyFigure = Callable[[Measured], float]

WORKLOADS = (*(kind.name for kind in KINDS), MIXED, NOTHING)


def event_cpu(workload: str) -> AnyFigure:
    """Microseconds of CPU for an event, over all processes."""
    return lambda each: each.ingest[workload].total


def event_cpu_of(workload: str, part: str) -> Figure:
    """Return the figure of one process."""
    return lambda each: each.ingest[workload].cpu[part]


def event_rate(workload: str) -> AnyFigure:
    """Events a second."""
    return lambda each: each.ingest[workload].rate


def added(workload: str) -> Figure:
    """Return the cost that app and stores add to a handler that stores nothing, in percent."""
    return lambda each: (each.ingest[workload].total / each.ingest[NOTHING].total - 1) * 100


def get_cpu(kind: str) -> Figure:
    """Microseconds of CPU for a request, over all processes."""
    return lambda each: each.reads[kind].cost.total


def get_cpu_of(kind: str, part: str) -> Figure:
    """Return the figure of one process."""
    return lambda each: each.reads[kind].cost.cpu[part]


def get_rate(kind: str) -> Figure:
    """Return the requests per second."""
    return lambda each: each.reads[kind].cost.rate


def get_p50(kind: str) -> Figure:
    """Milliseconds."""
    return lambda each: each.reads[kind].p50_ms


def get_p99(kind: str) -> Figure:
    """Milliseconds."""
    return lambda each: each.reads[kind].p99_ms


def lone_p50(kind: str) -> AnyFigure:
    """Milliseconds from the publication of a lone event until it is stored."""
    return lambda each: median(each.lone[kind].latency_ms)


def lone_p99(kind: str) -> AnyFigure:
    """Milliseconds."""
    return lambda each: quantiles(each.lone[kind].latency_ms, n=100)[98]


def lone_ratio(kind: str) -> AnyFigure:
    """Return the time until a lone event is stored, as a multiple of the time of its publish call."""
    return lambda each: median(each.lone[kind].latency_ms) / median(each.lone[kind].publish_ms)


def lone_cpu(kind: str) -> AnyFigure:
    """Milliseconds of CPU for a lone event, over all processes."""
    return lambda each: each.lone[kind].cost.total / 1000


def lone_cpu_of(kind: str, part: str) -> AnyFigure:
    """Milliseconds of CPU for a lone event, of one process."""
    return lambda each: each.lone[kind].cost.cpu[part] / 1000


def idle_cpu(part: str) -> AnyFigure:
    """Percent of a core while there are no events."""
    return lambda each: each.idle[part]


def memory(part: str) -> Figure:
    """MiB."""
    return lambda each: each.rss_mib[part]


def start(each: Round) -> float:
    """Seconds."""
    return each.start_seconds


def rounds_of(run: Run, mode: Mode) -> list[Round]:
    return [each for each in run.rounds if each.mode == mode.value]


def values(run: Run, mode: Mode, figure: Figure) -> list[float]:
    """One for each round of the mode."""
    return [figure(each) for each in rounds_of(run, mode)]


def single_values(run: Run, mode: Mode, figure: AnyFigure) -> list[float]:
    """One for each platform of the mode to which events were delivered one by one."""
    return [figure(each) for each in run.singles if each.mode == mode.value]


def middle(run: Run, mode: Mode, figure: Figure) -> float:
    return median(values(run, mode, figure))


def change(now: Sequence[float], before: Sequence[float]) -> tuple[float, bool]:
    """Of the median, as a share; and whether it is more than both spreads."""
    apart = min(now) > max(before) or max(now) < min(before)
    return median(now) / median(before) - 1, apart
