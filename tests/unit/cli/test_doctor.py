"""Doctor's line about Dapr: what is there, what is refused, and where the rest would come from."""

from pathlib import Path

import pytest

from dapr_hero.cli.doctor import Finding, examine
from dapr_hero.settings import Settings
from dapr_local.install.pins import GO_VERSION, VERSION
from tests.unit.dapr_local.fake_release import bare_machine, program, script


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare_machine(tmp_path, monkeypatch)


def dapr(settings: Settings | None = None) -> Finding:
    [found] = [each for each in examine(settings or Settings()) if each.name == f"daprd and sentry {VERSION}"]
    return found


def test_installed_programs_are_listed(tmp_path: Path) -> None:
    for name in ("daprd", "sentry"):
        program(tmp_path / "bin" / name, VERSION)
    assert dapr() == Finding(f"daprd and sentry {VERSION}", True, str(tmp_path / "bin"))


def test_a_program_that_is_refused_is_a_fault(tmp_path: Path) -> None:
    found = dapr(Settings(daprd_path=program(tmp_path / "daprd", "1.18.0")))
    assert (found.ok, found.found) == (False, "refused")
    assert "is version 1.18.0" in found.advice


def test_the_release_and_the_build_are_named(tmp_path: Path) -> None:
    go = script(tmp_path / "bin" / "go", f"echo go version go{'.'.join(map(str, GO_VERSION))} a/b")
    found = dapr(Settings(dapr_release_url="https://releases.example"))
    assert (found.ok, found.found) == (True, "not yet")
    assert "https://releases.example" in found.advice
    assert f"builds them with Go at {go} " in found.advice


@pytest.mark.parametrize("does", ["echo go version go1.9.12 a/b", "exit 1"])
def test_a_go_of_no_use_is_not_named(does: str, tmp_path: Path) -> None:
    script(tmp_path / "bin" / "go", does)
    assert "builds them with a Go that is installed for it " in dapr().advice


def test_a_go_that_cannot_be_started_is_not_named(tmp_path: Path) -> None:
    script(tmp_path / "bin" / "go").write_bytes(b"\x7fELF for another machine")
    assert "a Go that is installed for it" in dapr().advice
