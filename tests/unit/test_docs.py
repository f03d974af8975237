"""The documentation: its links lead somewhere, and the decisions have one form and an index."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    ROOT / "benchmarks/README.md",
    *(ROOT / "docs").rglob("*.md"),
]
DECISIONS = sorted((ROOT / "docs/adr").glob("0*.md"))
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADINGS = ["## Context", "## Decision", "## Consequences"]


def links(page: Path) -> Iterator[str]:
    """Yield the links of a page to files of this repository."""
    for target in LINK.findall(page.read_text()):
        path = target.partition("#")[0]
        if path and "://" not in target:
            yield path


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file(page: Path) -> None:
    assert not [path for path in links(page) if not (page.parent / path).exists()]


@pytest.mark.parametrize("decision", DECISIONS, ids=lambda decision: decision.name)
def test_a_decision_has_the_usual_form(decision: Path) -> None:
    lines = decision.read_text().splitlines()
    number = int(decision.name[:4])
    assert re.fullmatch(rf"# {number}\. \S.*", lines[0])
    assert lines[2].startswith("Status: ")
    assert [line for line in lines if line.startswith("## ")] == HEADINGS


def test_the_index_lists_every_decision_by_its_title() -> None:
    rows = re.findall(r"\| (\d+) \| \[(.*)\]\((.*)\) \|", (ROOT / "docs/adr/README.md").read_text())
    titles = [path.read_text().splitlines()[0].removeprefix("# ").split(". ", 1) for path in DECISIONS]
    assert rows == [
        (number, title, path.name) for (number, title), path in zip(titles, DECISIONS, strict=True)
    ]


def test_the_architecture_has_a_figure_for_each_way_of_an_event() -> None:
    page = (ROOT / "docs/architecture.md").read_text()
    ways = re.split(r"(?m)^## ", page)[1:]
    assert len(ways) == 4
    assert all(way.count("```mermaid") == 1 for way in ways)
    assert all(LINK.search(way) for way in ways)
