"""Escapes untrusted text for the terminal."""

import re

# C0 controls but line feed and tab, DEL and C1 controls; marks that reorder text or end lines; surrogates.
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)


def printable(text: str) -> str:
    """Return the text with every character that could control a terminal as `\\uXXXX`.

    JSON stays the same JSON, since these characters occur in its strings only.
    """
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def printable_line(text: str) -> str:
    """Return the text as one printable line, for a cell of a table."""
    return printable(text).replace("\n", "\\n").replace("\t", "\\t")
