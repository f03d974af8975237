import json

import pytest

from dapr_local.printable import printable, printable_line


@pytest.mark.parametrize(
    "character", ["\x1b", "\x07", "\x7f", "\x9b", "\u202e", "\u2028", "\ufeff", "\udc80"]
)
def test_a_character_that_could_control_a_terminal_is_escaped(character: str) -> None:
    assert printable(f"a{character}b") == f"a\\u{ord(character):04x}b"


def test_ordinary_text_stays_as_it_is() -> None:
    text = "é 😀\tline\n"
    assert printable(text) == text


def test_json_keeps_its_value() -> None:
    text = json.dumps({"id": "\x1b[31m"}, ensure_ascii=False)
    assert json.loads(printable(text)) == {"id": "\x1b[31m"}


def test_a_line_has_no_breaks_and_no_tabs() -> None:
    assert printable_line("a\tb\nc\r") == "a\\tb\\nc\\u000d"
