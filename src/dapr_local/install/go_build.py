"""Builds Dapr's binaries, with the components in use, from the source that the Go module proxy serves."""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from rich.filesize import decimal

from dapr_local.install.go import BuildError, Go, toolchain
from dapr_local.install.pins import COMPONENTS, REPLACED, SOURCE, SOURCE_SUM, VERSION
from dapr_local.progress import Report

# Without a tag daprd panics when it starts, and some of our components are not in "stablecomponents".
TAGS = "allcomponents"
# Without the paths, the next build finds in the caches what this one left there, in whatever folder.
OPTIONS = ["-mod=readonly", "-trimpath", "-tags", TAGS]
# The version of `--version`, and the one in each line of the logs.
VERSIONED = (f"{SOURCE}/pkg/buildinfo.version", "github.com/dapr/kit/logger.DaprVersion")
LINKER_FLAGS = " ".join(["-s -w", *(f"-X {name}={VERSION}" for name in VERSIONED)])
NEEDED_BYTES = 4_000_000_000  # with empty caches; 3.3 GB were measured
# Files of cmd/daprd/components that register nothing.
_KEPT = "zz_"


def build(names: Sequence[str], work: Path, report: Report) -> dict[str, Path]:
    """Build these commands of Dapr in the folder `work`; minutes with cold caches, seconds with warm ones.

    Raises: BuildError.
    """
    with _caches(toolchain(work, report), work, report) as go:
        report.say(f"Getting Dapr's source: {SOURCE} {VERSION}")
        folder = go.source(f"{SOURCE}@v{VERSION}", SOURCE_SUM, work)
        _select(folder / "cmd" / "daprd" / "components")
        _replace(go, folder)
        return _compile(go, folder, names, work, report)


@contextmanager
def _caches(go: Go, work: Path, report: Report) -> Iterator[Go]:
    """Give a Go with the user's caches if they have Dapr's modules, else with caches that do not stay."""
    caches = go.caches(work)
    if any(caches[1].glob("github.com/dapr/components-contrib@*")):
        before = sum(map(_size, caches))
        yield go
        grown = max(0, sum(map(_size, caches)) - before)
        report.say(
            f"Go's caches {' and '.join(map(str, caches))} grew by {decimal(grown)}; "
            "`go clean -cache -modcache` empties them"
        )
    else:
        own = work / "go"
        _check_space(work)
        report.say(f"Go's caches have no modules of Dapr: the build keeps its own in {own} until its end")
        own.mkdir()
        yield go.apart(own)
        report.say(f"Removing the build's own caches, {decimal(_size(own))}; nothing is left in Go's")
        shutil.rmtree(own)


def _check_space(work: Path) -> None:
    free = shutil.disk_usage(work).free
    if free < NEEDED_BYTES:
        raise BuildError(f"it needs {decimal(NEEDED_BYTES)} in {work.parent}, {decimal(free)} are free")


def _select(folder: Path) -> None:
    """Delete the registration of every component that is not ours; they do not depend on each other."""
    present = {path.stem: path for path in folder.glob("*.go") if not path.name.startswith(_KEPT)}
    if absent := COMPONENTS - present.keys():
        raise BuildError(f"the source has no component {' and '.join(sorted(absent))}")
    for name in present.keys() - COMPONENTS:
        present[name].unlink()


def _replace(go: Go, folder: Path) -> None:
    """Take another version of each module that the proxy does not serve, still pinned by its checksum."""
    for module, pinned in REPLACED.items():
        go.run(["mod", "edit", f"-replace={module}={module}@{pinned.version}"], folder)
        with (folder / "go.sum").open("a") as sums:
            sums.write(f"{module} {pinned.version} {pinned.sum}\n")
            sums.write(f"{module} {pinned.version}/go.mod {pinned.mod_sum}\n")


def _compile(go: Go, folder: Path, names: Sequence[str], work: Path, report: Report) -> dict[str, Path]:
    commands = [f"./cmd/{name}" for name in names]
    out = work / "out"
    out.mkdir()
    arguments = [*OPTIONS, "-ldflags", LINKER_FLAGS, *commands]
    go.build(arguments, f"{out}/", folder, f"{' and '.join(names)} {VERSION}", report)
    return {name: out / name for name in names}


def _size(folder: Path) -> int:
    """Return the bytes of all files below; 0 for a folder that does not exist."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):  # another build may clear up at the same time
                total += os.lstat(os.path.join(parent, name)).st_size  # noqa: PTH118, there are 100,000 files
    return total
