"""The manifests without a cluster: every overlay in every mode is built, valid, and keeps to the policies.

Exit codes: 0 all were checked and nothing was found, 1 something was, or could not be checked. audit.py lets
the latter pass, since its service may be out of reach; what is needed here comes from package registries.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console

from dapr_hero.cluster import overlay
from dapr_hero.cluster.errors import ClusterError
from dapr_hero.cluster.overlay import Overlay
from dapr_hero.contract.mode import Mode
from dapr_local.install.go import BuildError
from dapr_local.progress import ConsoleReport, Report
from tools import kubeconform

# Where, and what is wrong.
Finding = tuple[str, str]

TOOLS = Path(".venv-checks")
# The others are for a machine of one's own, and made of the same base and infrastructure.
_HARDENED = ("production", "external")


def main() -> int:
    report, findings = ConsoleReport(Console()), Findings()
    try:
        with tempfile.TemporaryDirectory() as folder:
            for place, line in _found(Path(folder), report):
                findings.add(place, line)
    except (ClusterError, BuildError, OSError) as error:
        findings.add("not checked", str(error))
    return findings.tell()


class Findings:
    """One line for each thing that is wrong, wherever it is."""

    def __init__(self) -> None:
        self._places: dict[str, list[str]] = defaultdict(list)

    def add(self, place: str, line: str) -> None:
        if place not in self._places[line]:
            self._places[line].append(place)

    def tell(self) -> int:
        """Print them; the exit code."""
        for line, (first, *others) in self._places.items():
            more = f" and {len(others)} more" if others else ""
            sys.stdout.write(f"{first}{more}: {line}\n")
        sys.stdout.write(f"findings: {len(self._places) or 'none'}\n")
        return 1 if self._places else 0


def _found(folder: Path, report: Report) -> Iterator[Finding]:
    report.say(f"kustomize: {', '.join(overlay.names())}, each in {len(Mode)} modes")
    yield from _built(folder)
    builds = sorted(folder.iterdir())
    if not builds:
        return  # Each has said why.
    yield from kubeconform.findings(builds, TOOLS, report)
    report.say(f"checkov: {', '.join(_HARDENED)} and the images")
    hardened = [folder / f"{name}-{Mode.SDK_HTTP}.yaml" for name in _HARDENED]
    yield from _policies([*(each for each in hardened if each in builds), *Path().glob("Dockerfile")])


def _built(folder: Path) -> Iterator[Finding]:
    """Build the overlays into the folder; return the ones that fail."""
    for name in overlay.names():
        for mode in Mode:
            try:
                # Single delivery removes what bulk delivery has, so one of the modes tries it.
                resources = Overlay(
                    name, mode, tag="any", bulk_subscribe=mode is not Mode.CUSTOM_GRPC
                ).build()
            except ClusterError as error:
                yield f"{name}-{mode}", str(error)
                continue
            documents = "---\n".join(json.dumps(each, indent=2) + "\n" for each in resources)
            (folder / f"{name}-{mode}.yaml").write_text(documents)


def _policies(files: Sequence[Path]) -> Iterator[Finding]:
    """Return the findings of checkov that neither .checkov.yaml nor an annotation excludes."""
    checkov: list[str | Path] = [TOOLS / "bin" / "checkov", "--config-file=.checkov.yaml", "--output=json"]
    # It would ask for a newer version of itself.
    quiet = {**os.environ, "CKV_SKIP_PACKAGE_UPDATE_CHECK": "true"}
    done = subprocess.run([*checkov, "--file", *files], capture_output=True, text=True, env=quiet)  # noqa: S603
    try:
        answer = json.loads(done.stdout)
        reports = answer if isinstance(answer, list) else [answer]
        checks = [each["results"] for each in reports]
    except (ValueError, KeyError):
        last = (done.stderr.strip().splitlines() or ["it checked nothing"])[-1]
        raise BuildError(f"checkov failed: {last}") from None
    for each in checks:
        for failed in each["failed_checks"]:
            yield (
                Path(failed["file_path"]).stem,
                (f"{failed['resource']}: {failed['check_name']} ({failed['check_id']})"),
            )
        for path in each["parsing_errors"]:
            yield Path(path).stem, "checkov cannot read it"


if __name__ == "__main__":
    sys.exit(main())
