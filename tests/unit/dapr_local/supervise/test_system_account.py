import os
from pathlib import Path

import pytest

from dapr_local.supervise.system_account import account, closed_to_others, reachable


@pytest.fixture
def public(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that everybody can enter, as far as the tests see; those above it are pytest's."""
    monkeypatch.setattr(
        Path, "parents", property(lambda self: [p for p in _above(self) if p.is_relative_to(tmp_path)])
    )
    tmp_path.chmod(0o755)
    return tmp_path


def _above(path: Path) -> list[Path]:
    return [] if path.parent == path else [path.parent, *_above(path.parent)]


def _program(folder: Path) -> Path:
    """A program with a library in a folder next to it, as the wheel has it, for the owner only."""
    program = folder / "package" / "bin" / "initdb"
    program.parent.mkdir(parents=True)
    program.write_text("a program")
    library = folder / "package.libs" / "libpq.so"
    library.parent.mkdir()
    library.write_text("a library")
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o700 if path.is_dir() or path == program else 0o600)
    return program


def test_a_user_who_is_not_root_needs_no_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    assert account("an-unknown-name") is None


def test_an_account_that_is_there_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)

    chosen = account("daemon")

    assert chosen is not None
    assert chosen.uid != 0


def test_the_folder_that_is_closed_is_named(public: Path) -> None:
    data = public / "home" / "data"
    data.mkdir(parents=True)
    data.chmod(0o711)
    data.parent.chmod(0o700)
    assert closed_to_others(data) == data.parent

    data.parent.chmod(0o711)
    assert closed_to_others(data) is None

    data.chmod(0o700)
    assert closed_to_others(data) == data


def test_a_program_is_used_where_it_is(public: Path) -> None:
    program = _program(public / "home")
    for path in [public / "home", *(public / "home").rglob("*")]:
        path.chmod(0o755)

    assert reachable(program, [program.parent.parent], public / "cache") == program
    assert not (public / "cache").exists()


def test_a_closed_program_is_copied_once_for_everybody(public: Path) -> None:
    program = _program(public / "home")
    copied = [public / "home" / "package", public / "home" / "package.libs"]

    copy = reachable(program, copied, public / "cache")

    assert copy == public / "cache" / "package" / "bin" / "initdb"
    assert copy.read_text() == "a program"
    assert closed_to_others(copy) is None
    library = public / "cache" / "package.libs" / "libpq.so"
    assert library.stat().st_mode & 0o004
    copy.write_text("already there")
    assert reachable(program, copied, public / "cache").read_text() == "already there"
    assert program.stat().st_mode & 0o077 == 0
