"""The generators write, check, and reject arguments that they do not know."""

import sys
from pathlib import Path

import pytest

from tools.generated import write_or_check


def run(monkeypatch: pytest.MonkeyPatch, path: Path, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["generate", *arguments])
    return write_or_check({path: "new\n"}, "make generate")


def test_a_check_names_an_outdated_file_and_leaves_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "file"
    path.write_text("old\n")
    assert run(monkeypatch, path, "--check") == 1
    assert capsys.readouterr().err == f"error: outdated: {path}; run `make generate`\n"
    assert path.read_text() == "old\n"


def test_a_written_file_is_up_to_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, tmp_path / "file") == 0
    assert run(monkeypatch, tmp_path / "file", "--check") == 0


def test_an_unknown_argument_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit) as exited:
        run(monkeypatch, tmp_path / "file", "--chekc")
    assert exited.value.code == 2
    assert not (tmp_path / "file").exists()
