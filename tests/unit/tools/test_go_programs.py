"""Programs from Go modules: run from the cache, built once, and reported when they cannot be had."""

import os
from pathlib import Path

import pytest

from dapr_local.install.go import BuildError
from tests.unit.dapr_local.fake_release import script
from tools import go_programs
from tools.go_programs import PROGRAMS, main


@pytest.fixture
def cached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(go_programs, "user_cache_path", lambda _: tmp_path)
    return PROGRAMS["gitleaks"].path


def test_a_cached_program_runs_with_its_arguments_and_exit_code(cached: Path, tmp_path: Path) -> None:
    cached.parent.mkdir()
    script(cached, f'echo "$@" > {tmp_path}/seen; exit 3')
    assert main("gitleaks", "git", ".") == 3
    assert (tmp_path / "seen").read_text() == "git .\n"


def test_a_program_that_cannot_be_built_is_one_line_and_its_own_exit_code(
    cached: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise BuildError("no Go, and no network")

    monkeypatch.setattr(go_programs, "toolchain", fail)
    assert main("gitleaks") == os.EX_TEMPFAIL
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == "not checked: gitleaks cannot be built: no Go, and no network"
    assert not cached.exists()


def test_each_program_is_pinned_by_a_checksum() -> None:
    for program in PROGRAMS.values():
        assert program.checksum.startswith("h1:")
        assert program.version in program.path.name
