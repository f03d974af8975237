"""The command line `dapr-hero`: its commands, each in its own module."""

import signal
import sys
from importlib.metadata import version
from types import MappingProxyType
from typing import Annotated

import typer

from dapr_hero.cli import terminal
from dapr_hero.cli.lazy import LazyGroup
from dapr_hero.contract.errors import UserError
from dapr_hero.loopback import bypass_proxies
from dapr_local.errors import LocalError
from dapr_local.install.pins import VERSION


class _Commands(LazyGroup):
    modules = MappingProxyType(
        {
            "up": "dapr_hero.cli.commands.up",
            "publish": "dapr_hero.cli.commands.publish",
            "get": "dapr_hero.cli.commands.get",
            "token": "dapr_hero.cli.commands.token",
            "doctor": "dapr_hero.cli.commands.doctor",
            "setup": "dapr_hero.cli.commands.setup",
            "dead-letters": "dapr_hero.cli.dead_letters",
            "k8s": "dapr_hero.cli.k8s",
        }
    )


app = typer.Typer(
    cls=_Commands,
    help="A reference microservice platform on Dapr: run it, publish events to it, read them back.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        terminal.write(f"dapr-hero {version('dapr-hero')}, Dapr {VERSION}")
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
    sys.exit(terminal.run(app, (LocalError, UserError)))
