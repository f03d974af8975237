"""Provides Dapr's own programs, daprd and Sentry, in exactly one version: found, downloaded or built."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dapr_local.errors import LocalError
from dapr_local.install import go_build
from dapr_local.install.cache import alone_in, machine
from dapr_local.install.download import ChecksumError, DownloadError, fetch
from dapr_local.install.go import BuildError
from dapr_local.install.pins import CHECKSUMS, GO_VERSION, VERSION
from dapr_local.program import Program
from dapr_local.progress import Report

NAMES = ("daprd", "sentry")
INSTALL_GO = f"install Go >= {'.'.join(map(str, GO_VERSION))}"

# Sentry has no option for its version, but logs it before it refuses a certificate without a key.
ASK_VERSION = {"daprd": ["--version"], "sentry": ["--oidc-server-tls-cert-file", "no-key"]}
VERSION_ANSWER = {"daprd": r"^(\S+)$", "sentry": r"Dapr Sentry.* -- version (\S+)"}

Build = Callable[[Sequence[str], Path, Report], Mapping[str, Path]]


class RuntimeUnavailable(LocalError):
    """No usable Dapr; the message says what was tried and what to do."""


@dataclass(frozen=True)
class Sources:
    """The sources of the programs: paths that the user has chosen, otherwise release archives or a build."""

    program: Program
    release_url: str
    daprd_path: Path | None = None
    sentry_path: Path | None = None
    checksums: Mapping[str, str] = field(default_factory=lambda: CHECKSUMS)
    build: Build = go_build.build

    def chosen(self, name: str) -> Path | None:
        """Return the path that the user has chosen for daprd or Sentry."""
        return {"daprd": self.daprd_path, "sentry": self.sentry_path}[name]

    def variable(self, name: str) -> str:
        """Return the environment variable of that path."""
        return self.program.variable(f"{name.upper()}_PATH")

    @property
    def how_to_set_paths(self) -> str:
        """The advice to set both paths."""
        variables = " and ".join(self.variable(name) for name in NAMES)
        return f"set {variables} to binaries of Dapr {VERSION}"

    @property
    def how_to_set_url(self) -> str:
        """The advice to set another place of release archives."""
        return (
            f"set {self.program.variable('DAPR_RELEASE_URL')} to a place that has Dapr's own release archives"
        )


@dataclass(frozen=True)
class DaprRuntime:
    """The two programs, as absolute paths."""

    daprd: Path
    sentry: Path


def find(sources: Sources) -> DaprRuntime | None:
    """Return the programs from the chosen paths, PATH, the folder of Dapr's CLI or the cache; otherwise None.

    Raises: RuntimeUnavailable when a chosen path cannot be used.
    """
    present = _present(sources)
    return DaprRuntime(**present) if len(present) == len(NAMES) else None


def obtain(sources: Sources, report: Report) -> DaprRuntime:
    """Return the programs; download missing ones into the cache or, if that fails, build them.

    Raises: RuntimeUnavailable.
    """
    paths = _present(sources)
    missing = [name for name in NAMES if name not in paths]
    if missing:
        folder = cache_folder(sources.program)
        report.say(f"{' and '.join(missing)} {VERSION} not found on this machine; they go to {folder}")
        try:
            with alone_in(folder, report) as work:
                # Another process may have brought them while this one waited for the folder.
                absent = [name for name in missing if not (folder / name).exists()]
                _bring(absent, sources, folder, work, report)
        except OSError as error:
            advice = sources.how_to_set_paths
            raise RuntimeUnavailable(f"{folder} cannot be used ({error}). Fix it, or {advice}") from None
        paths |= {name: folder / name for name in missing}
    return DaprRuntime(**paths)


def cache_folder(program: Program) -> Path:
    """Return the folder of downloaded and built binaries: one per version and platform."""
    return program.cache / f"dapr-{VERSION}-{'-'.join(machine())}"


def archive_name(name: str) -> str:
    """Return the name of a program's release archive for this machine, such as daprd_linux_amd64.tar.gz."""
    return f"{'_'.join((name, *machine()))}.tar.gz"


def version_of(name: str, path: Path) -> str | None:
    """Return the version that daprd or Sentry at `path` reports, or None."""
    command = [str(path), *ASK_VERSION[name]]
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=10)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return None
    answer = re.search(VERSION_ANSWER[name], done.stdout + done.stderr, re.MULTILINE)
    return answer[1] if answer else None


def _present(sources: Sources) -> dict[str, Path]:
    found = {name: _chosen(name, sources) or _installed(name, sources.program) for name in NAMES}
    return {name: path.absolute() for name, path in found.items() if path}


def _chosen(name: str, sources: Sources) -> Path | None:
    path = sources.chosen(name)
    fault = _fault(name, path) if path else None
    if fault is None:
        return path
    variable = sources.variable(name)
    raise RuntimeUnavailable(
        f"{variable}={path} {fault}. Set {variable} to a {name} {VERSION}, or leave it empty"
    )


def _fault(name: str, path: Path) -> str | None:
    """Return what is wrong with a program that must be this version of Dapr; Sentry may keep it to itself."""
    if not path.is_file():
        return "is not a file"
    if not os.access(path, os.X_OK):
        return "is not executable"
    version = version_of(name, path)
    if version == VERSION or (name == "sentry" and version is None):
        return None
    return f"is version {version}" if version else "does not report its version"


def _installed(name: str, program: Program) -> Path | None:
    on_path = shutil.which(name)
    candidates = [Path(on_path)] if on_path else []
    candidates.append(Path.home() / ".dapr" / "bin" / name)
    for path in candidates:
        if path.is_file() and version_of(name, path) == VERSION:
            return path
    cached = cache_folder(program) / name
    return cached if cached.is_file() else None


def _bring(names: Sequence[str], sources: Sources, folder: Path, work: Path, report: Report) -> None:
    """Download the archives; from the first that is not available on, build the rest together."""
    for place, name in enumerate(names):
        try:
            binary = _download(name, sources, work, report)
        except ChecksumError as error:
            raise RuntimeUnavailable(
                f"{error}; it is not used. To go on, {sources.how_to_set_url}, or {sources.how_to_set_paths}"
            ) from None
        except DownloadError as error:
            report.say(f"{error}; building from source instead (3 to 10 minutes)")
            for binary in _built(names[place:], error, sources, work, report):
                _keep(binary, folder)
            return
        _keep(binary, folder)


def _built(
    names: Sequence[str], why: DownloadError, sources: Sources, work: Path, report: Report
) -> Iterable[Path]:
    try:
        return sources.build(names, work, report).values()
    except BuildError as error:
        raise RuntimeUnavailable(
            f"Dapr {VERSION} cannot be installed. Download: {why}. Build: {error}. "
            f"To go on, {INSTALL_GO}, {sources.how_to_set_url}, or {sources.how_to_set_paths}"
        ) from None


def _download(name: str, sources: Sources, work: Path, report: Report) -> Path:
    archive = archive_name(name)
    url = f"{sources.release_url.rstrip('/')}/v{VERSION}/{archive}"
    binary = fetch(url, name, sources.checksums.get(archive), work, report)
    binary.chmod(0o755)
    if fault := _fault(name, binary):
        raise DownloadError(f"{name} of {url} {fault}")
    return binary


def _keep(binary: Path, folder: Path) -> None:
    binary.chmod(0o755)
    binary.replace(folder / binary.name)
