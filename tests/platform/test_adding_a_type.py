"""docs/guides/add-a-type.md: its steps, executed in a copy of the repository and on the real platform."""

import os
import re
import shutil
from pathlib import Path

import pytest

from dapr_hero.local.chosen_ports import on_free_ports
from dapr_hero.testing import eventually
from dapr_local.install.runtime import DaprRuntime
from tests.documents import MAKEFLAGS, Terminal, blocks

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/guides/add-a-type.md"
MIGRATION = re.compile(r"the file `(\S+\.sql)`")


@pytest.fixture
def terminal(tmp_path: Path, dapr_runtime: DaprRuntime, data_dir: Path) -> Terminal:
    for folder in ("src", "k8s", "tools", "messages", "requirements"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    for file in ("Makefile", "pyproject.toml"):
        shutil.copy2(ROOT / file, tmp_path / file)
    settings = on_free_ports(
        data_dir=data_dir, daprd_path=dapr_runtime.daprd, sentry_path=dapr_runtime.sentry
    )
    environment = {
        **os.environ,
        **settings.environment(),
        "PYTHONPATH": str(tmp_path / "src"),
        "MAKEFLAGS": MAKEFLAGS,
    }
    return Terminal(tmp_path, environment)


def test_the_steps_add_a_type_that_is_published_and_read(terminal: Terminal) -> None:
    steps = blocks(PAGE)
    assert [step.language for step in steps] == ["diff", "sql", "bash", "bash", "bash"]
    row, table, generate, start, samples = (step.text for step in steps)
    [migration] = MIGRATION.findall(PAGE.read_text())

    terminal.run("git apply", stdin=row)
    (terminal.folder / migration).write_text(table)
    terminal.run(generate)
    with terminal.running(start):
        publish, read = samples.splitlines()
        terminal.run(publish)
        item = eventually(lambda: terminal.output(read))
    assert item == '{"id":"gizmo","description":"A sample gizmo","price":19.99}\n'
