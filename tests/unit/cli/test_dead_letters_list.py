import io
from datetime import UTC, datetime

import pytest
from rich.console import Console

from dapr_hero.cli.dead_letters_list import lines, short_keys, show
from dapr_hero.contract.dead_letter import DeadLetter, DeadLetterState, Page

MOMENT = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
REASON = "price must be 0 or between 1E-15 and 1E+15, and this goes on for more than one line"


def letter(key: str, type: str = "widget.v1", reason: str = REASON) -> DeadLetter:
    return DeadLetter(key, DeadLetterState.KEPT, reason, "id", type, None, 12, MOMENT, MOMENT)


LETTERS = [letter("5f1d2c3a" + "0" * 24), letter("9b" * 16, "a.very.long.event.type.v1", "short")]


def shown(width: int, *letters: DeadLetter) -> list[str]:
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    show(Page(1234, list(letters)), DeadLetterState.KEPT, console)
    assert isinstance(console.file, io.StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


@pytest.mark.parametrize("width", [20, 40, 60, 80, 120])
def test_every_width_shows_the_keys_and_the_whole_reasons(width: int) -> None:
    found = shown(width, *LETTERS)
    assert all(len(line) <= width for line in found)
    text = "\n".join(found)
    assert "5f1d2c3a" in text
    assert "9b9b9b9b" in text
    assert "5f1d2c3a0" not in text
    assert all(text.count(word) >= REASON.split().count(word) for word in REASON.split())
    assert "2 of 1,234" in " ".join(found)


def test_the_reason_gets_the_room() -> None:
    [_, row, *_] = shown(120, LETTERS[0])
    assert row.endswith("and this goes on for more than")


def test_a_pipe_gets_one_line_per_letter_with_its_whole_key() -> None:
    first, second = lines(LETTERS)
    assert first.split("\t") == [LETTERS[0].key, MOMENT.isoformat(), "widget.v1", "12", REASON]
    assert second.split("\t")[0] == LETTERS[1].key


def test_text_of_events_cannot_control_the_terminal_or_forge_lines() -> None:
    bad = letter("ab" * 16, "[red]\x1b[2Jtype", "line\nforged\tcell\x9b31m[bold]")
    [line] = lines([bad])
    for text in (line, *shown(40, bad), *shown(120, bad)):
        assert "\x1b" not in text
        assert "\x9b" not in text
    assert line.count("\t") == 4
    assert any("[bold]" in each for each in shown(120, bad))


def test_short_keys_are_unique() -> None:
    keys = ["0123456789" + "a" * 22, "0123456789" + "b" * 22, "f" * 32]
    assert short_keys(keys) == {keys[0]: "0123456789a", keys[1]: "0123456789b", keys[2]: "f" * 11}
    assert short_keys(keys[2:]) == {keys[2]: "f" * 8}
    assert short_keys([]) == {}


def test_an_empty_list_says_so() -> None:
    assert shown(80) == ["no kept dead letters"]
