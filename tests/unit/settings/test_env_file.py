import os
from pathlib import Path

import pytest

from dapr_hero.settings import env_file


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / ".env"


def test_our_file_is_read_without_interpolation(path: Path) -> None:
    path.write_text(f"{env_file.MARK}\nDAPR_HERO_LOG_LEVEL=DEBUG # loud\nA='$B'\n")
    assert env_file.read(path) == {"DAPR_HERO_LOG_LEVEL": "DEBUG", "A": "$B"}


@pytest.mark.parametrize("text", ["", "SECRET=x\n", f"\n{env_file.MARK}\nSECRET=x\n"])
def test_a_file_without_our_first_line_is_left_alone(path: Path, text: str) -> None:
    path.write_text(text)
    assert not env_file.is_ours(path)
    assert env_file.read(path) == {}


def test_a_missing_file_a_folder_and_a_pipe_are_not_ours(path: Path) -> None:
    assert not env_file.is_ours(path)
    assert not env_file.is_ours(path.parent)
    os.mkfifo(path)
    assert not env_file.is_ours(path)


def test_a_file_that_is_not_utf8_is_an_error(path: Path) -> None:
    path.write_bytes(f"{env_file.MARK}\nA=".encode() + b"\xff\n")
    with pytest.raises(UnicodeDecodeError):
        env_file.read(path)
