import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dapr_local.printable import printable, printable_line

UNSAFE = [
    "\x00",
    "\x07",
    "\x1b[2J",
    "\x7f",
    "\x9b31m",
    "\u202e",
    "\u2066",
    "\ud800",
    "\r",
    "\u2028",
    "\ufeff",
]


@pytest.mark.parametrize("text", UNSAFE)
def test_control_characters_are_escaped(text: str) -> None:
    shown = printable(f"a{text}b")
    assert shown.isprintable()
    assert shown == f"a\\u{ord(text[0]):04x}{text[1:]}b"


BIDIRECTIONAL = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


@given(st.text(st.characters(codec=None)))
def test_no_text_controls_a_terminal(text: str) -> None:
    shown = printable_line(text)
    assert not {"Cc", "Cs", "Zl", "Zp"} & set(map(unicodedata.category, shown))
    assert not BIDIRECTIONAL & set(map(unicodedata.bidirectional, shown))


def test_other_text_and_the_shape_of_json_stay() -> None:
    text = '{\n\t"é": "日本 😀 \\u0000"\n}'
    assert printable(text) == text
    assert printable_line("two\nlines\tand a tab") == "two\\nlines\\tand a tab"


def test_json_keeps_its_value() -> None:
    text = json.dumps({"id": "\x1b[31m"}, ensure_ascii=False)
    assert json.loads(printable(text)) == {"id": "\x1b[31m"}
