"""The arguments of `dapr-hero`: what is accepted, what is wrong usage, and the exit codes."""

import asyncio
import json
import re
import signal
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import NoReturn

import pytest

from dapr_hero.cli import main
from dapr_hero.contract.kinds import KINDS
from dapr_hero.contract.mode import Mode
from dapr_hero.local import runtime
from dapr_hero.local.chosen_ports import on_free_ports
from dapr_hero.local.credentials import keep_tokens
from dapr_hero.local.data import open_data_dir
from dapr_hero.settings import Settings
from dapr_local.errors import LocalError
from dapr_local.install.pins import VERSION
from dapr_local.progress import Report
from tests.conformance.fake_sidecar import FakeSidecar

Call = Callable[..., tuple[int, str, str]]
_STYLE = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return on_free_ports(data_dir=tmp_path / "data", port_offset=7)


@pytest.fixture
def hero(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Call]:
    """The command with these settings: its exit code, what it prints, and its errors."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)
    before = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGHUP)}

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["dapr-hero", *arguments])
        with pytest.raises(SystemExit) as ended:
            main.main()
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, _STYLE.sub("", err)

    yield call
    for each, handler in before.items():
        signal.signal(each, handler)


@pytest.fixture
def fake(settings: Settings) -> Iterator[FakeSidecar]:
    """A sidecar where the platform with these settings has it."""
    fake = FakeSidecar()
    asyncio.run(fake.start(settings.shifted()))
    yield fake
    asyncio.run(fake.stop())


@pytest.fixture
def obtained(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """The settings for which Dapr's programs were wanted; there are none."""
    wanted: list[Settings] = []

    def obtain(settings: Settings, report: Report) -> NoReturn:
        wanted.append(settings)
        raise LocalError("there is no daprd")

    monkeypatch.setattr(runtime, "obtain", obtain)
    return wanted


@pytest.mark.parametrize("arguments", [[], ["widget", "--file", "event.json"]])
def test_a_kind_or_a_file_is_published_but_not_both(
    arguments: list[str], hero: Call, fake: FakeSidecar, tmp_path: Path
) -> None:
    (tmp_path / "event.json").write_text("{}")
    code, _, err = hero("publish", *arguments)
    assert (code, fake.published) == (2, [])
    assert "give either a kind or --file, not both" in err


@pytest.mark.parametrize("command", ["publish", "get"])
def test_an_unknown_kind_names_the_kinds(command: str, hero: Call) -> None:
    code, _, err = hero(command, "thing")
    assert code == 2
    assert f"'thing' is not one of {', '.join(each.name for each in KINDS)}" in err


def test_published_events_reach_the_sidecar_and_are_counted(
    hero: Call, fake: FakeSidecar, tmp_path: Path
) -> None:
    code, out, _ = hero("publish", "widget", "--count", "2", "--price", "1.5")
    assert (code, out.splitlines()[-1]) == (0, "published 2 widget events")
    assert hero("publish", "gadget", "--id", "g1")[:2] == (0, "published 1 gadget event\n")
    (tmp_path / "[a].json").write_text('{"type": "other", "data": {"id": "f"}}')
    assert hero("publish", "--file", "[a].json")[:2] == (0, "published [a].json\n")
    events = [json.loads(body) for _, _, body, _ in fake.published]
    assert sorted((each["type"], each["data"]["id"]) for each in events) == [
        ("gadget.v1", "g1"),
        ("other", "f"),
        ("widget.v1", "widget-1"),
        ("widget.v1", "widget-2"),
    ]


def test_replicas_are_for_the_whole_platform_only(hero: Call, obtained: list[Settings]) -> None:
    code, _, err = hero("up", "--replicas", "2", "--parts", "products")
    assert (code, obtained) == (2, [])
    assert "--replicas is for the whole platform, without --parts" in err
    for arguments in (["--replicas", "2"], ["--replicas", "1", "--parts", "products"]):
        assert hero("up", *arguments)[::2] == (1, "error: there is no daprd\n")


def test_the_options_of_up_win_over_the_environment(
    hero: Call, obtained: list[Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAPR_MODE", "sdk-grpc")
    hero("up")
    hero("up", "--mode", "custom-http", "--port-offset", "0")
    assert [(each.dapr_mode, each.port_offset) for each in obtained] == [
        (Mode.SDK_GRPC, 7),
        (Mode.CUSTOM_HTTP, 0),
    ]


def test_the_versions_are_shown_without_a_command(hero: Call) -> None:
    assert hero("--version") == (0, f"dapr-hero {version('dapr-hero')}, Dapr {VERSION}\n", "")


def test_the_token_is_that_of_the_platform_and_without_one_an_error(hero: Call, settings: Settings) -> None:
    code, out, err = hero("token")
    assert (code, out) == (1, "")
    assert err == "error: no token is known: start the platform (make run), or set DAPR_API_TOKEN\n"
    data = open_data_dir(settings)
    kept = keep_tokens(settings, data)
    data.close()
    assert hero("token") == (0, f"{kept.dapr_api_token}\n", "")
