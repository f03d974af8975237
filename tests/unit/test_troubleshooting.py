"""docs/guides/troubleshooting.md has every error that the program prints."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = " ".join((ROOT / "docs/guides/troubleshooting.md").read_text().split())
ERRORS = {
    *(
        "LocalError",
        "DataError",
        "PortTaken",
        "PartDied",
        "PartNotReady",
        "RuntimeUnavailable",
        "DownloadError",
    ),
    *("ChecksumError", "BrokenOffError", "BuildError", "PortInUse"),
    *("SettingsError", "ClientError", "ClusterError", "BadParameter"),
}
LONG_ENOUGH = 8


def fragments() -> Iterator[str]:
    """Yield the longest fixed part of each message that is raised."""
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and _name(node.exc) in ERRORS:
                texts = [text for argument in node.exc.args for text in _fixed(argument)]
                longest = max(texts, key=len, default="").strip()
                if len(longest) >= LONG_ENOUGH:
                    yield " ".join(longest.split())


def _name(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")


def _fixed(argument: ast.expr) -> Iterator[str]:
    values = argument.values if isinstance(argument, ast.JoinedStr) else [argument]
    for value in values:
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            yield from re.split(r"\n", value.value)


MESSAGES = sorted(set(fragments()))


def test_the_messages_are_found() -> None:
    assert len(MESSAGES) > 50


@pytest.mark.parametrize("fragment", MESSAGES)
def test_the_page_has_the_message(fragment: str) -> None:
    assert fragment in PAGE
