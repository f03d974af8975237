"""The static check's reading of its tools' output; an unchecked manifest has not passed."""

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from dapr_local.install.pins import VERSION
from tests.unit.dapr_local.fake_release import script
from tools.go_programs import PROGRAMS

ROOT = Path(__file__).parents[3]
VALID = {"filename": "a.yaml", "kind": "Pod", "name": "a", "status": "statusValid", "msg": ""}
INVALID = {
    "filename": "built/production-sdk-http.yaml",
    "kind": "Component",
    "name": "pubsub",
    "status": "statusInvalid",
    "msg": "problem: failed with 'file:///component.json#' - at '/spec': missing property 'type'",
}
UNKNOWN = INVALID | {"status": "statusError", "msg": "could not find schema for Component"}
FAILED = {
    "file_path": "/external-sdk-http.yaml",
    "resource": "Deployment.ns.a",
    "check_name": "No root",
    "check_id": "CKV_1",
}


def policies(*failed: Any, parsing_errors: tuple[str, ...] = ()) -> str:
    return json.dumps({"results": {"failed_checks": failed, "parsing_errors": parsing_errors}})


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two overlays, and tools with which all is well."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}/usr/bin{os.pathsep}/bin")
    for name in ("production", "external"):
        (tmp_path / "k8s" / "overlays" / name).mkdir(parents=True)
    tools = tmp_path / ".venv-checks"
    packages = Path(sysconfig.get_path("purelib", "venv", {"base": str(tools)}))
    for version in ("1.30.0", "1.35.0", "1.4.0"):
        (packages / f"kubernetes_validate/kubernetes-json-schema/v{version}-local-strict").mkdir(parents=True)
    script(tmp_path / "bin" / "kubectl", "echo 'kind: Pod'")
    says(tmp_path, kubeconform=[VALID], checkov=policies())
    return tmp_path


def says(repository: Path, kubeconform: list[Any] | None = None, checkov: str | None = None) -> None:
    """Let the tools answer so."""
    if kubeconform is not None:
        answer = json.dumps({"resources": kubeconform})
        (repository / "cache" / "dapr-hero" / f"schemas-dapr-{VERSION}").mkdir(parents=True, exist_ok=True)
        script(PROGRAMS["kubeconform"].path, f"cat <<'END'\n{answer}\nEND")
    if checkov is not None:
        script(repository / ".venv-checks" / "bin" / "checkov", f"cat <<'END'\n{checkov}\nEND")


def check(repository: Path) -> tuple[int, list[str]]:
    """The exit code, and the lines after those that tell the progress."""
    done = subprocess.run(
        [sys.executable, "-m", "tools.static_check"],
        cwd=repository,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    progress = ("kustomize: ", "kubeconform: ", "checkov: ")
    return done.returncode, [each for each in lines if not each.startswith(progress)]


def test_nothing_found_is_said_after_both_ends_of_kubernetes(repository: Path) -> None:
    assert check(repository) == (0, ["findings: none"])


@pytest.mark.parametrize(
    ("found", "line"),
    [
        (INVALID, "production-sdk-http: Component pubsub: - at '/spec': missing property 'type'"),
        (UNKNOWN, "production-sdk-http: Component pubsub: could not find schema for Component"),
    ],
)
def test_an_invalid_manifest_is_one_line(found: dict[str, str], line: str, repository: Path) -> None:
    says(repository, kubeconform=[VALID, found])
    assert check(repository) == (1, [line, "findings: 1"])


def test_the_same_in_several_places_is_one_line(repository: Path) -> None:
    elsewhere = INVALID | {"filename": "kind-sdk-http.yaml"}
    says(repository, kubeconform=[INVALID, elsewhere])
    _, [line, _] = check(repository)
    assert line.startswith("production-sdk-http and 1 more: Component pubsub")


def test_each_broken_policy_and_unreadable_file_is_one_line(repository: Path) -> None:
    says(repository, checkov=policies(FAILED, parsing_errors=("/a/production-sdk-http.yaml",)))
    assert check(repository) == (
        1,
        [
            "external-sdk-http: Deployment.ns.a: No root (CKV_1)",
            "production-sdk-http: checkov cannot read it",
            "findings: 2",
        ],
    )


def test_an_overlay_that_cannot_be_built_is_reported_and_ends_the_check_if_there_is_no_other(
    repository: Path,
) -> None:
    script(repository / "bin" / "kubectl", "echo error: no base >&2", "exit 1")
    assert check(repository) == (1, ["external-sdk-http and 7 more: error: no base", "findings: 1"])


@pytest.mark.parametrize(
    ("kubeconform", "checkov", "told"),
    [
        ([], None, "kubeconform looked at nothing"),
        (None, '{"passed": 0, "failed": 0}', "checkov failed: it checked nothing"),
        (None, "", "checkov failed"),
    ],
)
def test_a_tool_that_looked_at_nothing_has_not_passed(
    kubeconform: list[Any] | None, checkov: str | None, told: str, repository: Path
) -> None:
    says(repository, kubeconform, checkov)
    code, [line, _] = check(repository)
    assert code == 1
    assert line.startswith(f"not checked: {told}")


def test_a_missing_tool_hides_nothing_that_was_found(repository: Path) -> None:
    says(repository, kubeconform=[INVALID])
    (repository / ".venv-checks" / "bin" / "checkov").unlink()
    code, lines = check(repository)
    assert (code, len(lines)) == (1, 3)
    assert lines[1].startswith("not checked: ")
