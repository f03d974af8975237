"""The report of a comparison: a page, its pictures and the raw figures."""

from collections.abc import Callable, Sequence
from importlib import resources
from pathlib import Path
from statistics import median
from string import Template

from benchmarks.compare import advice, figures, lone_events, pictures, reads, rounds
from benchmarks.compare.figures import WORKLOADS, Figure, middle, rounds_of, values
from benchmarks.compare.results import Cost, Extra, Round, Run, save
from dapr_hero.contract.kinds import KINDS
from dapr_hero.contract.mode import Mode
from dapr_hero.local.services import INVENTORY

# The processes that a widget event passes.
_PARTS = ("inventory", "inventory-daprd", "valkey", "postgres")
# Microseconds; the other processes have no part in a read.
_WORTH_A_ROW = 0.5
# Its name, the figure, and how many digits it has behind the point.
_Row = tuple[str, Figure, int]


def write(run: Run, page: Path) -> None:
    """Write the page, and next to it its JSON and pictures."""
    page.parent.mkdir(parents=True, exist_ok=True)
    raw = page.with_suffix(".json")
    template = Template(resources.files("benchmarks.compare").joinpath("report.md").read_text())
    costs = {mode.name.lower(): f"{middle(run, mode, figures.event_cpu('widget')):.0f}" for mode in Mode}
    lines = {f"lines_{mode.name.lower()}": str(run.capabilities[mode.value].lines) for mode in Mode}
    text = template.substitute(
        costs | lines | _pictures(run, page.with_suffix("")),
        json=raw.name,
        cheapest_event=_cheapest(run, figures.event_cpu("widget")),
        cheapest_read=_cheapest(run, figures.get_cpu("gadget")),
        where=f"{run.date}, {run.machine}; {run.versions}.",
        rounds=len(rounds_of(run, Mode.CUSTOM_GRPC)),
        advice=table(advice.HEAD, advice.rows(run)),
        summary=summary(run),
        ingest=_ingest(run),
        shares=_shares(run),
        connections=reads.CONNECTIONS,
        driver=run.driver,
        reads="\n\n".join(_reads(run, kind.name, kind.resource) for kind in KINDS),
        rate=lone_events.RATE,
        latency=_latency(run),
        start=_start(run),
        extra_mode=run.extras[0].mode,
        extras=_extras(run),
        capabilities=_traits(run),
    )
    page.write_text(text)
    save(run, raw)


def summary(run: Run) -> str:
    """Return the summary table."""
    columns: list[_Row] = [
        ("CPU per widget event (µs)", figures.event_cpu("widget"), 0),
        ("widget events/s", figures.event_rate("widget"), 0),
        ("latency, p50 (ms)", figures.lone_p50("widget"), 1),
        ("CPU per GET of a gadget (µs)", figures.get_cpu("gadget"), 0),
        ("memory (MiB)", figures.memory(INVENTORY), 0),
    ]
    rows = []
    for mode in Mode:
        measured = [f"{middle(run, mode, figure):,.{digits}f}" for _, figure, digits in columns]
        found = run.capabilities[mode.value]
        rows.append([f"**{mode.value}**", *measured, str(found.lines), str(len(found.distributions))])
    return table(["mode", *(name for name, _, _ in columns), "lines", "packages"], rows)


def _cheapest(run: Run, figure: Figure) -> str:
    return min(Mode, key=lambda mode: middle(run, mode, figure)).value


def against(run: Run, earlier: Run) -> str:
    """Return a table of the changes of the medians since an earlier run; those beyond both spreads in bold."""
    compared = {
        **{f"{name}: CPU per event": figures.event_cpu(name) for name in WORKLOADS},
        **{f"{name}: events/s": figures.event_rate(name) for name in WORKLOADS},
        **{f"GET {kind.name}: CPU": figures.get_cpu(kind.name) for kind in KINDS},
        **{f"GET {kind.name}: requests/s": figures.get_rate(kind.name) for kind in KINDS},
        **{f"GET {kind.name}: p99": figures.get_p99(kind.name) for kind in KINDS},
        **{f"{kind.name}: latency, p50": figures.lone_p50(kind.name) for kind in KINDS},
        **{f"{kind.name}: latency, p99": figures.lone_p99(kind.name) for kind in KINDS},
        **{f"{kind.name}: CPU of a lone event": figures.lone_cpu(kind.name) for kind in KINDS},
        "memory": figures.memory(INVENTORY),
        "start": figures.start,
    }
    rows = [
        [name, *(_change(values(run, mode, figure), values(earlier, mode, figure)) for mode in Mode)]
        for name, figure in compared.items()
    ]
    return table(["change", *Mode], rows)


def _change(now: Sequence[float], before: Sequence[float]) -> str:
    share, apart = figures.change(now, before)
    return f"**{share:+.0%}**" if apart else f"{share:+.0%}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """In Markdown; all but the first column to the right."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _by_mode(run: Run, title: str, rows: Sequence[_Row]) -> str:
    cells = [
        [name, *(_cell(values(run, mode, figure), digits) for mode in Mode)] for name, figure, digits in rows
    ]
    return table([title, *Mode], cells)


def _cell(of_rounds: Sequence[float], digits: int) -> str:
    centre, least, most = (
        f"{each:,.{digits}f}" for each in (median(of_rounds), min(of_rounds), max(of_rounds))
    )
    return f"{centre} ({least} to {most})"


def _ingest(run: Run) -> str:
    cpu = _by_mode(run, "CPU, µs/event", [(name, figures.event_cpu(name), 0) for name in WORKLOADS])
    rate = _by_mode(run, "events/s", [(name, figures.event_rate(name), 0) for name in WORKLOADS])
    return f"{cpu}\n\n{rate}"


def _shares(run: Run) -> str:
    rows = [(part, figures.event_cpu_of("widget", part), 0) for part in _PARTS]
    added = ("app and stores on top of *nothing*, %", figures.added("widget"), 0)
    return _by_mode(run, "CPU, µs/event", [*rows, added])


def _reads(run: Run, kind: str, resource: str) -> str:
    of_parts = {part: figures.get_cpu_of(kind, part) for part in run.rounds[0].rss_mib}
    rows: list[_Row] = [
        ("CPU, µs", figures.get_cpu(kind), 0),
        *(
            (f"of it {part}", figure, 0)
            for part, figure in of_parts.items()
            if any(middle(run, mode, figure) >= _WORTH_A_ROW for mode in Mode)
        ),
        ("requests/s", figures.get_rate(kind), 0),
        ("p50, ms", figures.get_p50(kind), 1),
        ("p99, ms", figures.get_p99(kind), 1),
    ]
    return _by_mode(run, f"GET /v1/{resource}/{{id}}", rows)


def _latency(run: Run) -> str:
    rows: list[_Row] = []
    for kind in KINDS:
        rows.append((f"{kind.name}, p50", figures.lone_p50(kind.name), 1))
        rows.append((f"{kind.name}, p99", figures.lone_p99(kind.name), 1))
        rows.append((f"{kind.name}, multiple of the publish call", figures.lone_ratio(kind.name), 1))
        rows.append((f"{kind.name}, CPU of all processes", figures.lone_cpu(kind.name), 1))
    return _by_mode(run, "ms", rows)


def _start(run: Run) -> str:
    parts = run.rounds[0].rss_mib
    start = ("inventory, from its start until it is ready (s)", figures.start, 1)
    return _by_mode(run, "", [start, *((f"{part} (MiB)", figures.memory(part), 0) for part in parts)])


def _extras(run: Run) -> str:
    rows = []
    for kind in KINDS:
        rows.append(_extra(run, f"{kind.name} event", _cost_of_event(kind.name)))
        rows.append(_extra(run, f"GET {kind.resource}", _cost_of_get(kind.name)))
    return table(["", "without", *(f"with {what}" for what in rounds.EXTRAS)], rows)


def _cost_of_event(kind: str) -> Callable[[Round | Extra], Cost]:
    return lambda each: each.ingest[kind]


def _cost_of_get(kind: str) -> Callable[[Round | Extra], Cost]:
    return lambda each: each.reads[kind].cost


def _extra(run: Run, name: str, cost: Callable[[Round | Extra], Cost]) -> list[str]:
    mode = Mode(run.extras[0].mode)
    without = median(cost(each).total for each in rounds_of(run, mode))
    those = [median(cost(each).total for each in run.extras if each.what == what) for what in rounds.EXTRAS]
    return [name, f"{without:.0f}", *(f"{each:.0f} ({each - without:+.0f})" for each in those)]


def _traits(run: Run) -> str:
    found = [run.capabilities[mode.value] for mode in Mode]
    rows = [
        ["lines", *(str(each.lines) for each in found)],
        ["packages", *(", ".join(each.distributions) or "none" for each in found)],
        *([what, *(each.abilities[what] for each in found)] for what in found[0].abilities),
    ]
    return table(["", *Mode], rows)


def _pictures(run: Run, folder: Path) -> dict[str, str]:
    """Draw them; how the page calls them."""
    folder.mkdir(exist_ok=True)
    cpu = {
        name: {mode.value: values(run, mode, figures.event_cpu(name)) for mode in Mode} for name in WORKLOADS
    }
    pictures.bars(folder / "ingest.svg", "CPU per event, all processes", "µs", cpu)
    parts = {
        mode.value: {part: middle(run, mode, figures.event_cpu_of("widget", part)) for part in _PARTS}
        for mode in Mode
    }
    pictures.stacks(folder / "widget.svg", "CPU per widget event, by process", "µs", parts)
    lone = {
        mode.value: [ms for each in rounds_of(run, mode) for ms in each.lone["widget"].latency_ms]
        for mode in Mode
    }
    title = "From the publication of a widget event until its row is visible"
    pictures.distributions(folder / "latency.svg", title, "ms", lone)
    names = {"ingest_picture": "ingest.svg", "stack_picture": "widget.svg", "latency_picture": "latency.svg"}
    return {name: f"{folder.name}/{file}" for name, file in names.items()}
