from importlib.metadata import version
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from dapr_hero.cli.main import app
from dapr_hero.client.platform import ClientError
from dapr_hero.contract.kinds import KINDS
from dapr_local.install.pins import VERSION


@pytest.fixture(autouse=True)
def no_platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DAPR_HERO_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("DAPR_API_TOKEN", raising=False)


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def test_the_versions_are_shown() -> None:
    assert call("--version").output == f"dapr-hero {version('dapr-hero')}, Dapr {VERSION}\n"


@pytest.mark.parametrize("arguments", [(), ("widget", "--file", "event.json")])
def test_publish_takes_a_kind_or_files_and_not_both(arguments: tuple[str, ...]) -> None:
    result = call("publish", *arguments)
    assert result.exit_code == 2
    assert "either a kind or --file" in result.output


@pytest.mark.parametrize("command", ["publish", "get"])
def test_an_unknown_kind_is_refused_with_the_known_ones(command: str) -> None:
    result = call(command, "gizmo")
    assert result.exit_code == 2
    assert f"'gizmo' is not one of {', '.join(kind.name for kind in KINDS)}" in result.output


@pytest.mark.parametrize("command", ["publish", "get"])
def test_the_help_lists_the_kinds(command: str) -> None:
    assert "{" + "|".join(kind.name for kind in KINDS) + "}" in call(command, "--help").output


def test_replicas_are_for_the_whole_platform() -> None:
    result = call("up", "--replicas", "2", "--parts", "products")
    assert result.exit_code == 2
    assert "--replicas is for the whole platform" in result.output


def test_without_a_platform_there_is_no_token() -> None:
    result = call("token")
    assert isinstance(result.exception, ClientError)
    assert "make run" in str(result.exception)


def test_a_token_that_is_set_is_printed_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAPR_API_TOKEN", "for-daprd")
    assert call("token").stdout == "for-daprd\n"
