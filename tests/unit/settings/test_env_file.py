"""Only a file that says that it is ours is read, and just as it is written."""

import os
from pathlib import Path

import pytest

from dapr_hero.settings import env_file

OURS = f"{env_file.MARK}: see docs\nDAPR_HERO_INVENTORY_PORT=1111\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / ".env"


def test_our_file_is_read_as_it_is_written(file: Path) -> None:
    file.write_text(f"{OURS}DAPR_API_TOKEN=a${{HOME}}b\nEMPTY=\nQUOTED='two words'\nBARE\n")
    assert env_file.is_ours(file)
    assert env_file.read(file) == {
        "DAPR_HERO_INVENTORY_PORT": "1111",
        "DAPR_API_TOKEN": "a${HOME}b",
        "EMPTY": "",
        "QUOTED": "two words",
        "BARE": None,
    }
    assert "DAPR_HERO_INVENTORY_PORT" not in os.environ


@pytest.mark.parametrize("content", ["", "A=1\n", f"A=1\n{OURS}", f"\n{OURS}", OURS.upper(), f" {OURS}"])
def test_a_file_without_our_mark_at_its_start_is_of_another_project(file: Path, content: str) -> None:
    file.write_text(content)
    assert not env_file.is_ours(file)
    assert env_file.read(file) == {}


def test_a_file_of_another_project_need_not_be_text(file: Path) -> None:
    file.write_bytes(b"\xff\xfe\x00")
    assert env_file.read(file) == {}
    file.write_bytes(OURS.encode() + b"A=\xff\n")
    with pytest.raises(UnicodeDecodeError):
        env_file.read(file)


def test_a_folder_or_a_pipe_is_not_ours(file: Path) -> None:
    assert env_file.read(file) == {}
    file.mkdir()
    assert env_file.read(file) == {}
    file.rmdir()
    os.mkfifo(file)
    assert env_file.read(file) == {}


def test_a_file_that_cannot_be_opened_is_not_ours(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    file.write_text(OURS)
    monkeypatch.setattr(Path, "open", refuse)  # root may open every file
    assert not env_file.is_ours(file)
