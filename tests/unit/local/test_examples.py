"""The command of the examples works in another terminal: with its settings, and where the shell finds it."""

import shlex
import sys
from pathlib import Path

import pytest

from dapr_hero.local import examples
from dapr_hero.settings import Settings, key
from tests.unit.dapr_local.fake_release import script


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment with no settings, whose folder of programs is on PATH."""
    for name in Settings.model_fields:
        monkeypatch.delenv(key(name), raising=False)
    folder = tmp_path / "my programs"
    script(folder / "dapr-hero")
    monkeypatch.setattr(sys, "executable", str(folder / "python"))
    monkeypatch.setenv("PATH", str(folder))
    return folder


def test_without_settings_it_is_the_name_alone() -> None:
    assert examples.command(0) == "dapr-hero"


def test_the_settings_that_decide_what_is_reached_go_along(monkeypatch: pytest.MonkeyPatch) -> None:
    needed = {
        "DAPR_HERO_INVENTORY_PORT": "3333",
        "DAPR_HTTP_PORT": "3555",
        "DAPR_HERO_DATA_DIR": "/my data/it's",
        "DAPR_HERO_INVENTORY_HOST": "::1",
        "DAPR_HERO_DAPR_HOST": "localhost",
        "DAPR_HERO_PUBSUB_NAME": "broker",
        "DAPR_HERO_PUBSUB_TOPIC": "orders",
    }
    others = {"DAPR_HERO_LOG_LEVEL": "DEBUG", "DAPR_API_TOKEN": "secret", "DAPR_HERO_ZIPKIN_PORT": ""}
    for name, value in {**needed, **others}.items():
        monkeypatch.setenv(name, value)
    *found, program = shlex.split(examples.command(0))
    assert dict(each.split("=", 1) for each in found) == needed
    assert program == "dapr-hero"


def test_the_offset_is_the_one_of_this_platform(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAPR_HERO_PORT_OFFSET", "7")
    assert examples.command(100) == "DAPR_HERO_PORT_OFFSET=100 dapr-hero"
    assert examples.command(0) == "dapr-hero"


def test_a_program_that_the_shell_does_not_find_is_named_by_its_path(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert examples.command(0) == f"'{folder}/dapr-hero'"
    another = script(tmp_path / "bin" / "dapr-hero")
    assert examples.command(0) == f"'{folder}/dapr-hero'"
    another.unlink()
    another.symlink_to(folder / "dapr-hero")
    assert examples.command(0) == "dapr-hero"


def test_without_such_a_program_python_runs_the_module(folder: Path) -> None:
    (folder / "dapr-hero").unlink()
    assert examples.command(0) == f"'{folder}/python' -m dapr_hero"
