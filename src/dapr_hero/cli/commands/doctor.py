"""The command `doctor`."""

import typer
from rich.console import Console

from dapr_hero import settings
from dapr_hero.cli import doctor

app = typer.Typer(add_completion=False)


@app.command(name="doctor")
def diagnose() -> None:
    """Say what the platform needs, what is there and how to get the rest. Exit code 1: it cannot run."""
    findings = doctor.examine(settings.load().shifted())
    doctor.show(findings, Console())
    raise typer.Exit(0 if all(each.ok for each in findings) else 1)
