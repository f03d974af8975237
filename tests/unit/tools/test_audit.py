"""The audit's reading of pip-audit's output."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
FINE = {"name": "fine", "version": "1", "vulns": []}
BAD = {"name": "bad", "version": "2", "vulns": [{"id": "PYSEC-1", "fix_versions": ["3"]}]}
SKIPPED = {"name": "skipped", "skip_reason": "not found"}
OFFLINE = "ERROR:pip_audit._cli:Tip: your network may be blocking this service. Try another service"


def audit(folder: Path, stdout: str, stderr: str = "", code: int = 0) -> subprocess.CompletedProcess[str]:
    """The script, with a pip-audit that answers so."""
    fake = folder / "pip-audit"
    said = f"import sys\nsys.stdout.write({stdout!r})\nsys.stderr.write({stderr!r})\nsys.exit({code})\n"
    fake.write_text(f"#!{sys.executable}\n{said}")
    fake.chmod(0o755)
    return subprocess.run(
        [sys.executable, "-m", "tools.audit"],
        cwd=ROOT,
        env={**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("packages", "code", "line"),
    [
        ([FINE], 0, "checked: 1 packages\n"),
        ([FINE, BAD], 1, "vulnerable: bad 2: PYSEC-1, fixed in 3\n"),
        ([FINE, SKIPPED], 75, "not checked: 1 of 2 packages (not found)\n"),
        ([], 75, "not checked: 0 of 0 packages\n"),
    ],
)
def test_each_answer_has_its_line_and_exit_code(
    tmp_path: Path, packages: list[dict[str, Any]], code: int, line: str
) -> None:
    answer = audit(tmp_path, json.dumps({"dependencies": packages}), "", code)
    assert (answer.returncode, answer.stdout) == (code, line)


def test_a_finding_counts_although_others_were_not_checked(tmp_path: Path) -> None:
    answer = audit(tmp_path, json.dumps({"dependencies": [BAD, SKIPPED]}), "", 1)
    assert (answer.returncode, answer.stdout.count("\n")) == (1, 2)


def test_a_service_that_does_not_answer_is_one_line_and_no_finding(tmp_path: Path) -> None:
    answer = audit(tmp_path, "", f"ERROR: could not connect\n{OFFLINE}\n", 1)
    assert answer.returncode == 75
    assert answer.stdout.startswith("not checked: the vulnerability service does not answer")
    assert answer.stdout.count("\n") == 1


def test_a_failure_of_its_own_is_no_lack_of_network(tmp_path: Path) -> None:
    answer = audit(tmp_path, "", "ERROR:pip_audit._cli:invalid requirements input\n", 1)
    assert (answer.returncode, "invalid requirements input" in answer.stdout) == (2, True)
