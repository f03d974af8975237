"""docs/adding-a-type.md: its steps, executed in a copy of the repository and on the real platform."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dapr_hero.local.chosen_ports import on_free_ports
from dapr_hero.testing import eventually
from dapr_local.install.runtime import DaprRuntime

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/adding-a-type.md").read_text()
BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)
MIGRATION = re.compile(r"the file `(\S+\.sql)`")


class Terminal:
    """Runs the commands of the page in a copy of the repository."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self.environment = environment

    def run(self, command: str, stdin: str = "") -> None:
        done = self._run(command, stdin)
        assert done.returncode == 0, (command, done.stdout, done.stderr)

    def output(self, command: str) -> str:
        return self._run(command).stdout

    @contextmanager
    def running(self, command: str) -> Iterator[None]:
        """Keep the platform running; stop it as Ctrl-C does, which goes to the whole group."""
        log = self.folder / "up.log"
        with log.open("w") as out:
            process = subprocess.Popen(
                command.split(),
                cwd=self.folder,
                env=self.environment,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            eventually(lambda: "Ctrl-C stops" in log.read_text() or process.poll() is not None, seconds=90)
            yield
        finally:
            os.killpg(process.pid, signal.SIGINT)
            process.wait(60)

    def _run(self, command: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command.split(),
            cwd=self.folder,
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )


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
        # The code of the copy, with the packages of this environment.
        "MAKEFLAGS": f"--no-print-directory --old-file={sys.prefix}/installed -- VENV={sys.prefix}",
    }
    return Terminal(tmp_path, environment)


def test_the_steps_add_a_type_that_is_published_and_read(terminal: Terminal) -> None:
    blocks = BLOCK.findall(PAGE)
    assert [language for language, _ in blocks] == ["diff", "sql", "bash", "bash", "bash"]
    row, table, generate, start, samples = (text for _, text in blocks)
    [migration] = MIGRATION.findall(PAGE)

    terminal.run("git apply", stdin=row)
    (terminal.folder / migration).write_text(table)
    terminal.run(generate)
    with terminal.running(start):
        publish, read = samples.splitlines()
        terminal.run(publish)
        item = eventually(lambda: terminal.output(read))
    assert item == '{"id":"gizmo","description":"A sample gizmo","price":19.99}\n'
