"""Writes docs/reliability.md: the findings of the suite."""

import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from string import Template

import msgspec
import psutil

from dapr_local.install.pins import VERSION
from tests.chaos.faults import PARTS
from tests.chaos.outages import Outage
from tests.chaos.pressure import Pressure
from tests.chaos.trial import Account, Recovery

PATH = Path("docs/reliability.md")


class Findings(msgspec.Struct):
    seed: int
    accounts: list[Account]
    broken: Account
    outages: list[Outage]
    pressures: list[Pressure]


def write(found: Findings) -> None:
    template = Template(Path(__file__).with_suffix(".md").read_text())
    recoveries = [each for account in found.accounts for each in account.recoveries]
    text = template.substitute(
        where=_where(found),
        rate=f"{found.broken.events_per_second:.0f}",
        accounts=_accounts(found.accounts),
        recoveries=_recoveries(recoveries),
        broken=_accounts([found.broken]),
        outages=_outages(found.outages),
        pressures="\n\n".join(_pressure(each) for each in found.pressures),
    )
    PATH.write_text(text)
    PATH.with_suffix(".json").write_bytes(msgspec.json.format(msgspec.json.encode(found)) + b"\n")


def _where(found: Findings) -> str:
    memory = psutil.virtual_memory().total / 2**30
    machine = f"{psutil.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.machine()}"
    versions = f"dapr-hero {version('dapr-hero')}, Dapr {VERSION}, Python {platform.python_version()}"
    return f"{datetime.now(UTC):%Y-%m-%d}, {machine}; {versions}; seed {found.seed}."


def _accounts(accounts: list[Account]) -> str:
    rows = [
        [
            each.mode,
            len(each.recoveries),
            f"{each.published:,}",
            f"{each.stored:,}",
            each.dead_letters,
            f"**{each.lost}**",
            f"**{each.duplicates}**",
            f"{each.settled_seconds:.1f}",
        ]
        for each in accounts
    ]
    head = ["mode", "kills", "published", "stored", "dead letters", "lost", "duplicates", "settled after (s)"]
    return _table(head, rows)


def _recoveries(recoveries: list[Recovery]) -> str:
    rows = []
    for part in PARTS:
        of_part = [each.recovery_seconds for each in recoveries if each.part == part]
        seconds = [each for each in of_part if each is not None]
        never = len(of_part) - len(seconds)
        if seconds:
            rows.append([part, len(of_part), f"{median(seconds):.1f}", f"{max(seconds):.1f}", never])
    return _table(["part", "kills", "median", "longest", "never"], rows)


def _outages(outages: list[Outage]) -> str:
    rows = [
        [
            each.down,
            " and ".join(each.others),
            f"{each.rate_before:,.0f}",
            f"{each.rate_during:,.0f}",
            f"**{each.kept:.0%}**",
            f"{each.halt_seconds:.1f}",
        ]
        for each in outages
    ]
    return _table(["down", "types", "events/s before", "during", "kept", "longest halt (s)"], rows)


def _pressure(found: Pressure) -> str:
    rows = [
        [each.part, *(f"{size:.0f}" for size in (each.before, each.peak, each.after))]
        for each in found.memory
    ]
    title = f"{found.what} ({found.events:,} events; all stored {found.drained_seconds:.1f} s after its end)"
    return f"{title}:\n\n" + _table(["process", "before", "peak", "after"], rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)
