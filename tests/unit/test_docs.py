"""The documentation: its links lead somewhere, and the decisions have one form and an index."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from dapr_hero.cli.main import app
from dapr_hero.contract.kinds import KINDS
from tests.documents import NEEDS_CLUSTER, NEEDS_KIND, ROOT, RUN_BY_CI, blocks, pages

PAGES = [*pages(), ROOT / "CHANGELOG.md", ROOT / "benchmarks/README.md"]
DECISIONS = sorted((ROOT / "docs/adr").glob("0*.md"))
# The workflows' badge, relative to the page on GitHub.
PAGES_OF_THE_FORGE = "../../actions/"
LANGUAGES = {"bash", "text", "mermaid", "python", "diff", "sql"}
MAKE = re.compile(r"(?<![\w-])make ([a-z][\w-]*(?: [a-z][\w-]*)*)")
HERO = re.compile(r"(?<![\w/-])dapr-hero((?: [a-z][\w-]*)*)((?: --[a-z][\w-]*)*)")
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADINGS = ["## Context", "## Decision", "## Consequences"]


def links(page: Path) -> Iterator[str]:
    """Yield the links of a page to files of this repository."""
    for target in LINK.findall(page.read_text()):
        path = target.partition("#")[0]
        if path and "://" not in target and not path.startswith(PAGES_OF_THE_FORGE):
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
    page = (ROOT / "docs/explanation/architecture.md").read_text()
    ways = re.split(r"(?m)^## ", page)[1:]
    assert len(ways) == 4
    assert all(way.count("```mermaid") == 1 for way in ways)
    assert all(LINK.search(way) for way in ways)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_each_block_says_its_language_and_a_known_mark(page: Path) -> None:
    fences = re.findall(r"(?m)^```", page.read_text())
    steps = blocks(page)
    assert len(fences) == 2 * len(steps)
    assert {step.language for step in steps} <= LANGUAGES
    assert {step.mark for step in steps} <= {"", NEEDS_CLUSTER, NEEDS_KIND, RUN_BY_CI}


def test_ci_runs_the_commands_that_are_left_to_it() -> None:
    commands = {
        line.partition("#")[0].strip()
        for page in pages()
        for step in blocks(page)
        if step.mark == RUN_BY_CI
        for line in step.text.splitlines()
    }
    assert commands
    assert commands <= set((ROOT / ".ci/run").read_text().splitlines())


def commands(page: Path) -> Iterator[str]:
    """Yield the commands of a page, in blocks and in the text."""
    text = page.read_text()
    yield from (step.text for step in blocks(page) if step.language == "bash")
    yield from re.findall(r"(?<!`)`([^`\n]+)`(?!`)", text)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_each_command_of_a_page_exists(page: Path) -> None:
    makefiles = (ROOT / "Makefile").read_text() + (ROOT / "k8s/targets.mk").read_text()
    samples = {
        f"{verb}-{kind}"
        for verb in ("send", "get")
        for kind in ("KIND", "gizmo", *(kind.name for kind in KINDS))
    }
    targets = {
        name for line in re.findall(r"(?m)^([\w -]+):(?!=)", makefiles) for name in line.split()
    } | samples
    for command in commands(page):
        for found in MAKE.findall(command):
            assert set(found.split()) <= targets, command
        for words, options in HERO.findall(command):
            assert not unknown(words.split(), options.split()), command


def unknown(words: list[str], options: list[str]) -> list[str]:
    """Return the words and options of a command line that `dapr-hero` does not know."""
    command: Any = typer.main.get_command(app)
    while words and hasattr(command, "list_commands"):
        context = typer.Context(command)
        found = command.get_command(context, words[0])
        if not found:
            return words[:1]
        command, words = found, words[1:]
    known = {option for parameter in command.params for option in (*parameter.opts, "--help")}
    return [option for option in options if option not in known]
