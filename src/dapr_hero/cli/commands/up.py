"""The command `up`."""

import asyncio
import sys
from typing import IO, Annotated, cast

import typer
from rich.console import Console

from dapr_hero import settings
from dapr_hero.cli.arguments import ModeOption
from dapr_hero.cli.terminal import LastingOutput
from dapr_hero.cli.up import Parts, run_platform
from dapr_hero.local import runtime
from dapr_local.progress import ConsoleReport

FreshOption = Annotated[bool, typer.Option("--fresh", help="Forget the data of earlier runs")]
OffsetOption = Annotated[
    int | None, typer.Option(help="Move every port by this [default: DAPR_HERO_PORT_OFFSET]")
]

app = typer.Typer(add_completion=False)


@app.command()
def up(
    mode: ModeOption = None,
    port_offset: OffsetOption = None,
    fresh: FreshOption = False,
    parts: Annotated[
        Parts, typer.Option(help="everything, products with its sidecar, or only the sidecars")
    ] = Parts.ALL,
    replicas: Annotated[
        int, typer.Option(min=1, max=8, help="Inventories that share the events, their ports 100 apart")
    ] = 1,
) -> None:
    """Start the whole platform without Docker, and stop it in order on Ctrl-C.

    Data is kept between runs. A second platform next to this one needs its own DAPR_HERO_PORT_OFFSET
    and DAPR_HERO_DATA_DIR.
    """
    if replicas > 1 and parts is not Parts.ALL:
        raise typer.BadParameter("--replicas is for the whole platform, without --parts")
    given = {"dapr_mode": mode, "port_offset": port_offset}
    chosen = settings.load(**{name: value for name, value in given.items() if value is not None})
    lasting = Console(file=cast(IO[str], LastingOutput(sys.stdout)))
    found = runtime.obtain(chosen, ConsoleReport(lasting))
    asyncio.run(run_platform(chosen, found, parts, replicas=replicas, fresh=fresh, console=lasting))
