"""The command `get`."""

from typing import Annotated

import typer

from dapr_hero import settings
from dapr_hero.cli import terminal
from dapr_hero.cli.arguments import KIND
from dapr_hero.client import rest
from dapr_hero.contract.kinds import Kind

app = typer.Typer(add_completion=False)


@app.command()
def get(
    kind: Annotated[Kind, typer.Argument(**KIND, help="What to read")],
    id: Annotated[str | None, typer.Argument(help="Its id [default: the name of its kind]")] = None,
) -> None:
    """Read one item over REST, as JSON. Exit code 1 when there is none."""
    terminal.write(rest.item(settings.load().shifted(), kind, id or kind.name))
