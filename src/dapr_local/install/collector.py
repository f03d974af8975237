"""Provides the OpenTelemetry Collector in exactly one version: found, downloaded or built."""

import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dapr_local.errors import LocalError
from dapr_local.install.cache import alone_in, machine
from dapr_local.install.download import ChecksumError, DownloadError, fetch
from dapr_local.install.go import BuildError, toolchain
from dapr_local.program import Program
from dapr_local.progress import Report

NAME = "otelcol"
# Of the core distribution, and of the modules in collector_source/go.mod.
# renovate: datasource=github-releases depName=open-telemetry/opentelemetry-collector-releases
VERSION = "0.148.0"
RELEASES = "https://github.com/open-telemetry/opentelemetry-collector-releases/releases/download"
CHECKSUMS = "opentelemetry-collector-releases_otelcol_checksums.txt"
SOURCE = Path(__file__).with_name("collector_source")
MODULES = "go.opentelemetry.io/collector/otelcol@*"

Build = Callable[[Path, Report], Path]


@dataclass(frozen=True)
class Sources:
    """The sources of the Collector: release archives, and otherwise a build."""

    program: Program
    release_url: str = RELEASES

    @property
    def cached(self) -> Path:
        """The path of the program in the cache."""
        return self.program.cache / f"{NAME}-{VERSION}-{'-'.join(machine())}" / NAME


def find(sources: Sources) -> Path | None:
    """Return the Collector from PATH or the cache; otherwise None."""
    on_path = shutil.which(NAME)
    if on_path and version_of(Path(on_path)) == VERSION:
        return Path(on_path)
    return sources.cached if sources.cached.is_file() else None


def obtain(sources: Sources, report: Report, build: Build | None = None) -> Path:
    """Return the Collector; download it into the cache or, if that fails, build it.

    Raises: LocalError.
    """
    if found := find(sources):
        return found
    folder = sources.cached.parent
    report.say(f"{NAME} {VERSION} not found on this machine; it goes to {folder}")
    try:
        with alone_in(folder, report) as work:
            # Another process may have brought it while this one waited for the folder.
            if not sources.cached.exists():
                binary = _brought(sources.release_url, work, report, build or build_from_source)
                binary.chmod(0o755)
                binary.replace(sources.cached)
    except (OSError, ChecksumError, BuildError) as error:
        raise LocalError(
            f"the OpenTelemetry Collector {VERSION} cannot be installed: {error}. Install it as {NAME} on PATH"
        ) from None
    return sources.cached


def version_of(binary: Path) -> str | None:
    """Return the version that the Collector at `binary` reports, or None."""
    try:
        done = subprocess.run([binary, "--version"], capture_output=True, text=True, timeout=10, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return None
    answer = re.search(r"version v?(\S+)", done.stdout)
    return answer[1] if answer else None


def build_from_source(work: Path, report: Report) -> Path:
    """Build the Collector in the folder `work`, a minute with warm caches. Raises: BuildError."""
    folder, binary = work / "source", work / NAME
    shutil.copytree(SOURCE, folder)
    go = toolchain(work, report)
    if not any(go.caches(work)[1].glob(MODULES)):
        go = go.apart(work / "go")  # caches that go with the folder, instead of a gigabyte in the user's
    options = ["-trimpath", "-mod=readonly", "-ldflags", f"-s -w -X main.version={VERSION}"]
    go.build([*options, "."], str(binary), folder, f"{NAME} {VERSION}", report)
    return binary


def _brought(release_url: str, work: Path, report: Report, build: Build) -> Path:
    archive = f"{NAME}_{VERSION}_{'_'.join(machine())}.tar.gz"
    url = f"{release_url.rstrip('/')}/v{VERSION}/{archive}"
    try:
        return fetch(url, NAME, None, work, report, CHECKSUMS)
    except DownloadError as error:
        report.say(f"{error}; building from source instead (1 to 4 minutes)")
        return build(work, report)
