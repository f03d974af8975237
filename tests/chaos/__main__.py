"""`make chaos`: the whole suite, and its report in docs/reliability.md."""

import secrets
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from dapr_hero import settings
from dapr_hero.contract.mode import Mode
from dapr_hero.local import runtime
from dapr_local.install.runtime import DaprRuntime
from dapr_local.progress import ConsoleReport
from tests.chaos import broken, faults, outages, pressure, report
from tests.chaos.outages import Outage
from tests.chaos.pressure import Pressure
from tests.chaos.report import Findings
from tests.chaos.trial import Account, Trial, fresh_platform

console = Console()
bars = ConsoleReport(console)


def main(
    mode: Annotated[list[Mode] | None, typer.Option(help="Modes to try [default: all four]")] = None,
    rounds: Annotated[int, typer.Option(min=1, help="How often each part is killed, in each mode")] = 2,
    seed: Annotated[int | None, typer.Option(help="To run the same faults again [default: random]")] = None,
    only_faults: Annotated[bool, typer.Option("--only-faults", help="The kills alone, no report")] = False,
) -> None:
    """Kill parts of the platform under load, and account for every event. Exit code 1: something was lost."""
    found = runtime.obtain(settings.load(), bars)
    chosen = secrets.randbelow(10**6) if seed is None else seed
    console.print(f"seed {chosen}")
    accounts = [_faults(each, chosen, rounds, found) for each in mode or list(Mode)]
    console.print(_table(accounts))
    if not only_faults:
        findings = Findings(
            chosen, accounts, _broken(chosen, found), _outages(found), _pressures(chosen, found)
        )
        report.write(findings)
        console.print(f"written: {report.PATH}")
    raise typer.Exit(0 if all(account.good for account in accounts) else 1)


def _faults(mode: Mode, seed: int, rounds: int, found: DaprRuntime) -> Account:
    planned = faults.plan(seed, rounds)
    with bars.track(f"{mode}: kills", len(planned), "kills") as advance:
        return Trial(mode, seed, planned).run(found, advance)


def _broken(seed: int, found: DaprRuntime) -> Account:
    planned = faults.plan(seed, 1, ["inventory", "products", "postgres"])
    with broken.without_retries(), bars.track("a broken build: kills", len(planned), "kills") as advance:
        return Trial(Mode.CUSTOM_HTTP, seed, planned, deadline_seconds=60).run(found, advance)


def _outages(found: DaprRuntime) -> list[Outage]:
    with fresh_platform(Mode.CUSTOM_GRPC, found) as platform:
        pairs = [("products", "products"), ("postgres", "widgets")]
        return [outages.measure(platform, down, resource) for down, resource in pairs]


def _pressures(seed: int, found: DaprRuntime) -> list[Pressure]:
    with fresh_platform(Mode.CUSTOM_GRPC, found) as platform:
        with bars.track("a burst", pressure.BURST, "events") as advance:
            burst = pressure.burst(platform, advance)
        return [burst, pressure.stall(platform, seed)]


def _table(accounts: list[Account]) -> Table:
    table = Table()
    for column in ("mode", "published", "stored", "dead letters", "lost", "duplicates", "ended unasked"):
        table.add_column(column, justify="left" if column == "mode" else "right")
    for each in accounts:
        numbers = (each.published, each.stored, each.dead_letters, each.lost, each.duplicates)
        table.add_row(each.mode, *(f"{number:,}" for number in numbers), ", ".join(each.dead_parts) or "none")
    return table


if __name__ == "__main__":
    typer.run(main)
