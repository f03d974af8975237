"""`dapr-hero dead-letters` as a program or a person at a pipe uses it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dapr_hero.cli.dead_letters import app
from dapr_hero.client.answers import ClientError
from dapr_hero.contract.dead_letter import DeadLetterState
from dapr_hero.local.chosen_ports import on_free_ports
from tests.unit.client.served_letters import Letters, letter, served

EVENT = '{"data": {"price": 1.10, "far": 12345678901234567890.5}}'
LETTERS = (letter("a", original=EVENT), letter("b", original="no json"), letter("c"))


@pytest.fixture
def letters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Letters]:
    """Those of a platform that the commands find."""
    settings = on_free_ports(dapr_api_token="for-daprd", data_dir=tmp_path / "data")
    monkeypatch.chdir(tmp_path)
    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)
    letters = Letters(*LETTERS, letter("x", DeadLetterState.REPLAYED))
    with served(letters, settings):
        yield letters


def out(*arguments: str) -> str:
    """Return the output of a command that succeeds."""
    result = CliRunner().invoke(app, arguments)
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout


def replayed(letters: Letters) -> set[str]:
    return {key for key, each in letters.by_key.items() if each.state is DeadLetterState.REPLAYED}


def test_the_list_in_a_pipe_is_one_line_per_letter_the_latest_first(letters: Letters) -> None:
    assert [line.split("\t")[0] for line in out("list").splitlines()] == ["c", "b", "a"]
    assert [line.split("\t")[0] for line in out("list", "--limit", "1").splitlines()] == ["c"]
    assert [line.split("\t")[0] for line in out("list", "--state", "replayed").splitlines()] == ["x"]


def test_the_list_for_programs_is_a_page_as_json(letters: Letters) -> None:
    page = json.loads(out("list", "--json", "--limit", "2"))
    assert (page["total"], [each["key"] for each in page["letters"]]) == (3, ["c", "b"])


def test_a_letter_is_shown_with_its_event_as_it_came(letters: Letters) -> None:
    shown = out("show", "a")
    assert json.loads(shown)["original"] == json.loads(EVENT)
    assert '"price": 1.10,' in shown
    assert '"far": 12345678901234567890.5' in shown
    assert json.loads(out("show", "b"))["original"] == "no json"
    assert "original" not in json.loads(out("show", "c")) or json.loads(out("show", "c"))["original"] is None


@pytest.mark.parametrize("command", ["replay", "discard"])
@pytest.mark.parametrize("arguments", [[], ["a", "--all"]])
def test_a_decision_is_about_keys_or_about_all(command: str, arguments: list[str], letters: Letters) -> None:
    result = CliRunner().invoke(app, [command, *arguments], env={"COLUMNS": "200"})
    assert result.exit_code == 2
    assert "give either keys or" in result.stderr
    assert letters.by_key.keys() == {*"abcx"}
    assert replayed(letters) == {"x"}


def test_chosen_letters_are_replayed_or_discarded_and_counted(letters: Letters) -> None:
    assert out("replay", "a", "b").endswith("replayed 2 of 2\n")
    assert replayed(letters) == {*"abx"}
    assert out("discard", "--all").endswith("discarded 1 of 1\n")
    assert letters.by_key.keys() == {*"abx"}


def test_a_letter_that_is_refused_holds_up_no_other_and_is_named_at_the_end(letters: Letters) -> None:
    letters.refused = {"b"}
    result = CliRunner().invoke(app, ["replay", "z", "b", "a"])
    assert replayed(letters) == {*"ax"}
    assert result.stdout.endswith("replayed 1 of 3\n")
    assert isinstance(result.exception, ClientError)
    assert str(result.exception).splitlines() == [
        "z: 404: there is no such dead letter",
        "b: 400: this letter is not a CloudEvent",
    ]
