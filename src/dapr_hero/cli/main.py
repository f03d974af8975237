"""The command line `dapr-hero`: arguments only; the work is done in other modules."""

import asyncio
import signal
import sys
from importlib.metadata import version
from pathlib import Path
from typing import IO, Annotated, Any, cast

import typer
from rich.console import Console

from dapr_hero import settings
from dapr_hero.cli import dead_letters, doctor, k8s, terminal
from dapr_hero.cli.terminal import LastingOutput
from dapr_hero.cli.up import Parts, run_platform
from dapr_hero.client import platform
from dapr_hero.client.platform import ClientError
from dapr_hero.cluster.errors import ClusterError
from dapr_hero.contract.kinds import KINDS, Kind
from dapr_hero.contract.mode import Mode
from dapr_hero.local import runtime
from dapr_hero.local.credentials import with_tokens
from dapr_hero.local.program import PROGRAM
from dapr_hero.loopback import bypass_proxies
from dapr_hero.settings import SettingsError
from dapr_local.errors import LocalError
from dapr_local.install.pins import VERSION
from dapr_local.parts import zipkin
from dapr_local.printable import printable_line
from dapr_local.progress import ConsoleReport

app = typer.Typer(
    help="A reference microservice platform on Dapr: run it, publish events to it, read them back.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(dead_letters.app, name="dead-letters")
app.add_typer(k8s.app, name="k8s")
console = Console()


def _kind(name: str) -> Kind:
    """Return the kind with this name."""
    for kind in KINDS:
        if kind.name == name:
            return kind
    raise typer.BadParameter(f"{name!r} is not one of {', '.join(each.name for each in KINDS)}")


_KIND: dict[str, Any] = {"parser": _kind, "metavar": f"{{{'|'.join(each.name for each in KINDS)}}}"}
ModeOption = Annotated[Mode | None, typer.Option(help="How inventory talks to Dapr [default: DAPR_MODE]")]
FreshOption = Annotated[bool, typer.Option("--fresh", help="Forget the data of earlier runs")]
OffsetOption = Annotated[
    int | None, typer.Option(help="Move every port by this [default: DAPR_HERO_PORT_OFFSET]")
]


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


@app.command()
def publish(
    kind: Annotated[Kind | None, typer.Argument(**_KIND, help="What to publish; or use --file")] = None,
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


@app.command()
def get(
    kind: Annotated[Kind, typer.Argument(**_KIND, help="What to read")],
    id: Annotated[str | None, typer.Argument(help="Its id [default: the name of its kind]")] = None,
) -> None:
    """Read one item over REST, as JSON. Exit code 1 when there is none."""
    item = asyncio.run(platform.get(settings.load().shifted(), kind, id or kind.name))
    terminal.write(item)


@app.command()
def token() -> None:
    """Print the token that daprd wants of its callers, for their header `dapr-api-token`.

    Example: `curl --header "dapr-api-token: $(dapr-hero token)" http://localhost:3500/v1.0/metadata`
    """
    found = with_tokens(settings.load()).dapr_api_token
    if not found:
        raise ClientError("no token is known: start the platform (make run), or set DAPR_API_TOKEN")
    sys.stdout.write(found + "\n")


@app.command(name="doctor")
def diagnose() -> None:
    """Say what the platform needs, what is there and how to get the rest. Exit code 1: it cannot run."""
    findings = doctor.examine(settings.load().shifted())
    doctor.show(findings, console)
    raise typer.Exit(0 if all(each.ok for each in findings) else 1)


@app.command()
def setup() -> None:
    """Get what the platform needs: Dapr's binaries and Zipkin. Later runs find them in the cache."""
    report = ConsoleReport(console)
    found = runtime.obtain(settings.load(), report)
    asyncio.run(zipkin.fetch(PROGRAM.cache, report))
    console.print(f"ready: {found.daprd}", soft_wrap=True)


def _show_version(wanted: bool) -> None:
    if wanted:
        console.print(f"dapr-hero {version('dapr-hero')}, Dapr {VERSION}", highlight=False)
        raise typer.Exit


@app.callback()
def common(
    _: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the versions and exit"),
    ] = False,
) -> None:
    """Take the options that come before a command."""


def main() -> None:
    """Run the command line; exit with its code."""
    # While something is downloaded or built, these signals end it as Ctrl-C does.
    for each in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(each) is not signal.SIG_IGN:
            signal.signal(each, signal.default_int_handler)
    bypass_proxies()
    sys.exit(terminal.run(app, _EXPECTED))


_EXPECTED = (LocalError, SettingsError, ClientError, ClusterError)
