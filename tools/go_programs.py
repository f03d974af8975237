"""Builds checks that exist only as Go modules, each in one version and verified by its checksum.

python -m tools.go_programs NAME [ARGUMENT]…   runs one; it is built at the first run
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from platformdirs import user_cache_path
from rich.console import Console

from dapr_local.install.go import BuildError, Go, toolchain
from dapr_local.progress import ConsoleReport, Report


class GoProgram(NamedTuple):
    """A program in a Go module; `checksum` is that of the module in go.sum."""

    name: str
    module: str
    version: str
    checksum: str
    package: str

    @property
    def path(self) -> Path:
        """The path of the program in the user's cache."""
        return user_cache_path("dapr-hero") / "go-programs" / f"{self.name}-{self.version}"

    def source(self, go: Go, work: Path) -> Path:
        """Return the folder of the module's source. Raises: BuildError."""
        return go.source(f"{self.module}@v{self.version}", self.checksum, work)


PROGRAMS = {
    each.name: each
    for each in (
        GoProgram(
            "actionlint",
            "github.com/rhysd/actionlint",
            # renovate: datasource=go depName=github.com/rhysd/actionlint
            version="1.7.12",
            checksum="h1:vQ4GeJN86C0QH+gTUQcs8McmK62OLT3kmakPMtEWYnY=",
            package="./cmd/actionlint",
        ),
        GoProgram(
            "gitleaks",
            "github.com/zricethezav/gitleaks/v8",
            # renovate: datasource=go depName=github.com/zricethezav/gitleaks/v8
            version="8.30.1",
            checksum="h1:PmEvCfVI7ti9dV3s5aMZUY7sS2GxRvG3yzih7E+cS3w=",
            package=".",
        ),
        GoProgram(
            "kubeconform",
            "github.com/yannh/kubeconform",
            # renovate: datasource=go depName=github.com/yannh/kubeconform
            version="0.8.0",
            checksum="h1:loDYd3a3spjIFrauqW67CDKF55Oo9R6uvC8AvpVd4ug=",
            package="./cmd/kubeconform",
        ),
    )
}


def built(program: GoProgram, report: Report) -> Path:
    """Return the path of the program; build it if the cache does not have it. Raises: BuildError."""
    if not program.path.exists():
        program.path.parent.mkdir(parents=True, exist_ok=True)
        report.say(f"Building {program.name} {program.version} (about a minute); it goes to {program.path}")
        with tempfile.TemporaryDirectory(prefix="work-", dir=program.path.parent) as folder:
            work = Path(folder)
            go = toolchain(work, report)
            binary = work / program.name
            go.run(["build", "-mod=readonly", "-o", str(binary), program.package], program.source(go, work))
            binary.replace(program.path)
    return program.path


def main(name: str, *arguments: str) -> int:
    """Run a program with these arguments; return its exit code, or EX_TEMPFAIL if it cannot be built."""
    try:
        path = built(PROGRAMS[name], ConsoleReport(Console(stderr=True)))
    except BuildError as error:
        sys.stderr.write(f"not checked: {name} cannot be built: {error}\n")
        return os.EX_TEMPFAIL
    return subprocess.run([path, *arguments], check=False).returncode  # noqa: S603


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in PROGRAMS:
        sys.exit(f"error: give one of {', '.join(PROGRAMS)}, and its arguments")
    sys.exit(main(*sys.argv[1:]))
