"""The command `publish`."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from dapr_hero import settings
from dapr_hero.cli.arguments import KIND
from dapr_hero.client import platform
from dapr_hero.contract.kinds import Kind
from dapr_hero.local.credentials import with_tokens
from dapr_local.printable import printable_line
from dapr_local.progress import ConsoleReport

console = Console()
app = typer.Typer(add_completion=False)


@app.command()
def publish(
    kind: Annotated[Kind | None, typer.Argument(**KIND, help="What to publish; or use --file")] = None,
    id: Annotated[str | None, typer.Option(help="Item's id [default: the name of its kind]")] = None,
    description: Annotated[str, typer.Option(help="Its description")] = "made by dapr-hero publish",
    price: Annotated[str, typer.Option(help="Item's price, a decimal number >= 0")] = "9.99",
    count: Annotated[
        int,
        typer.Option(
            min=1, max=1_000_000, help="Number of events; with more than one, ids get the suffixes -1, -2, …"
        ),
    ] = 1,
    file: Annotated[list[Path] | None, typer.Option(help="A CloudEvent as JSON; may be repeated")] = None,
) -> None:
    """Publish CloudEvents through inventory's sidecar.

    Examples: `dapr-hero publish widget --id w1 --price 19.99`
    and `dapr-hero publish --file messages/gadget.json`
    """
    chosen = with_tokens(settings.load().shifted())
    if (kind is None) == (not file):
        raise typer.BadParameter("give either a kind or --file, not both")
    if kind is not None:
        events = platform.events(kind, id or kind.name, description, price, count)
        asyncio.run(platform.publish(chosen, events, count, ConsoleReport(console)))
        console.print(f"published {count} {kind.name} event{'s' if count > 1 else ''}")
    for path in file or []:
        asyncio.run(platform.publish(chosen, iter([platform.event_in(path)]), 1, ConsoleReport(console)))
        console.print(f"published {printable_line(str(path))}", markup=False, highlight=False, soft_wrap=True)
