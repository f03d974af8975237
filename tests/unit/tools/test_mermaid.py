import os
from pathlib import Path

import pytest

from tools import mermaid

ROOT = Path(__file__).parents[3]


def test_every_diagram_of_the_documents_is_found() -> None:
    found = mermaid.diagrams(ROOT)
    assert {
        "docs/explanation/delivery.md#1",
        "docs/explanation/architecture.md#4",
        "docs/guides/deploy.md#1",
    } <= found.keys()
    assert all(block.startswith("```mermaid\n") and block.endswith("\n```") for block in found.values())


def test_without_a_browser_nothing_counts_as_checked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("CHROMIUM", raising=False)
    assert mermaid.main() == os.EX_TEMPFAIL
    assert capsys.readouterr().err.startswith("not checked: ")
