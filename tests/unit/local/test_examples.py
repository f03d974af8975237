import shlex
import sys
from pathlib import Path

import pytest

from dapr_hero.local import examples


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DAPR_HERO_DATA_DIR", "DAPR_HERO_INVENTORY_PORT", "DAPR_HTTP_PORT"):
        monkeypatch.delenv(name, raising=False)


def test_the_command_has_the_settings_of_this_terminal_and_the_offset(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DAPR_HERO_DATA_DIR", "/data of mine")
    monkeypatch.setenv("DAPR_HTTP_PORT", "3600")
    monkeypatch.setenv("DAPR_HERO_LOG_LEVEL", "DEBUG")

    words = shlex.split(examples.command(100))

    assert words[:-1] == [
        "DAPR_HTTP_PORT=3600",
        "DAPR_HERO_DATA_DIR=/data of mine",
        "DAPR_HERO_PORT_OFFSET=100",
    ]


def test_it_is_the_name_alone_where_the_shell_finds_this_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))
    assert examples.command(0) == "dapr-hero"


def test_otherwise_it_is_its_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert examples.command(0) == shlex.quote(str(Path(sys.executable).with_name("dapr-hero")))
