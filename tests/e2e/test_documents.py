"""The documents: their commands for a cluster, executed as written."""

import os

import pytest

from tests.documents import NEEDS_CLUSTER, ROOT, Block, Terminal, blocks, execute, pages

STEPS = {page: [step for step in blocks(page) if step.mark == NEEDS_CLUSTER] for page in pages()}


@pytest.mark.parametrize(
    "steps",
    [pytest.param(steps, id=str(page.relative_to(ROOT))) for page, steps in STEPS.items() if steps],
)
def test_the_page_does_what_it_says(steps: list[Block], deployed: None) -> None:
    folder = {"PATH": f"{ROOT}/.venv/bin:{os.environ['PATH']}"}
    execute(steps, Terminal(ROOT, {**os.environ, **folder}))
