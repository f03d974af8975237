from collections.abc import Iterator

import pytest
from typer.testing import CliRunner, Result

from dapr_hero.cli import dead_letters
from dapr_hero.client.platform import ClientError
from dapr_hero.local.chosen_ports import on_free_ports
from tests.unit.letters_server import TOKEN, LettersInMemory, serving


@pytest.fixture
def letters(monkeypatch: pytest.MonkeyPatch) -> Iterator[LettersInMemory]:
    settings = on_free_ports(dapr_api_token=TOKEN)
    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)
    letters = LettersInMemory("aa", "bb", "cc")
    with serving(letters, settings.dead_letters_port):
        yield letters


def call(*arguments: str) -> Result:
    return CliRunner().invoke(dead_letters.app, arguments)


def test_the_list_is_a_line_per_letter_or_json(letters: LettersInMemory) -> None:
    assert [line.split()[0] for line in call("list").stdout.splitlines()] == ["aa", "bb"]
    assert '"total":3' in call("list", "--json", "--limit", "1").stdout


def test_an_event_is_shown_with_its_numbers_as_they_came(letters: LettersInMemory) -> None:
    result = call("show", "aa")
    assert result.exit_code == 0
    assert '"price": 0.10' in result.stdout


def test_all_letters_are_replayed(letters: LettersInMemory) -> None:
    result = call("replay", "--all")
    assert (letters.replayed, result.exit_code) == (["aa", "bb", "cc"], 0)
    assert "replayed 3 of 3" in result.output


def test_a_letter_that_fails_is_reported_after_the_others(letters: LettersInMemory) -> None:
    result = call("discard", "aa", "unknown", "bb")
    assert letters.keys == ["cc"]
    assert "discarded 2 of 3" in result.output
    assert isinstance(result.exception, ClientError)
    assert str(result.exception) == "unknown: 404: there is no such dead letter"


@pytest.mark.parametrize("arguments", [(), ("aa", "--all")])
def test_either_keys_or_all_are_needed(letters: LettersInMemory, arguments: tuple[str, ...]) -> None:
    result = call("discard", *arguments)
    assert (result.exit_code, letters.keys) == (2, ["aa", "bb", "cc"])
