"""Executes the commands of a document, as a reader with two terminals does."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple

from dapr_hero.testing import eventually

ROOT = Path(__file__).parents[1]
# The packages of this environment, without an installation.
MAKEFLAGS = f"--no-print-directory --old-file={sys.prefix}/installed -- VENV={sys.prefix}"
# Marks of blocks that the platform tests do not execute, and who does.
NEEDS_CLUSTER, NEEDS_KIND, RUN_BY_CI = "needs a cluster", "needs kind", "run by .ci/run"
_BLOCK = re.compile(
    r"^(?:<!-- (?P<mark>[\w ./]+) -->\n)?```(?P<language>\w*)\n(?P<text>.*?)^```$", re.M | re.S
)
# Commands that go on until Ctrl-C, and what they print when they are ready.
_SERVERS = {r"make (run|dapr-test)|dapr-hero up": "Ctrl-C stops", "kubectl port-forward": "Forwarding from"}
# A stalled PostgreSQL holds up the first widgets for some seconds.
_SECONDS = 60


class Block(NamedTuple):
    """A fenced block of a page; `mark` is the comment in front of it, or ""."""

    mark: str
    language: str
    text: str


def pages() -> list[Path]:
    """Return the documents for users, sorted."""
    return [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        ROOT / "SECURITY.md",
        *sorted((ROOT / "docs").rglob("*.md")),
    ]


def blocks(page: Path) -> list[Block]:
    """Return the fenced blocks of a page, in order."""
    return [
        Block(found["mark"] or "", found["language"], found["text"])
        for found in _BLOCK.finditer(page.read_text())
    ]


class Terminal:
    """A shell in a folder. Variables that a command exports stay."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self.environment = environment

    def run(self, command: str, stdin: str = "") -> str:
        """Return the output of a command that must succeed."""
        done = self._run(command, stdin)
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        return done.stdout

    def output(self, command: str) -> str:
        """Return the output of a command, whether it succeeds or not."""
        return self._run(command).stdout

    def export(self, command: str) -> None:
        """Take over the environment that a command leaves."""
        text = self.run(f"{command}\nenv --null")
        self.environment = dict(pair.split("=", 1) for pair in text.split("\0") if pair)

    @contextmanager
    def running(self, command: str, ready: str = "Ctrl-C stops") -> Iterator[None]:
        """Keep a server running from its ready line on; stop it as Ctrl-C does, which goes to the whole group."""
        with tempfile.NamedTemporaryFile() as out:
            log = Path(out.name)
            process = subprocess.Popen(
                ["bash", "-c", command],
                cwd=self.folder,
                env=self.environment,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                eventually(lambda: ready in log.read_text() or process.poll() is not None, seconds=90)
                assert process.poll() is None, log.read_text()
                yield
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGINT)
                process.wait(60)

    def _run(self, command: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-ec", command],
            cwd=self.folder,
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )


def execute(steps: Sequence[Block], terminal: Terminal) -> None:
    """Execute the blocks of commands in order; a command may fail until its deadline, as for a reader who retries it.

    A block of text holds the last lines that the commands in front of it print.
    """
    expected = [step.text if step.language == "text" else "" for step in [*steps[1:], Block("", "", "")]]
    with ExitStack() as server:
        for step, last_lines in zip(steps, expected, strict=True):
            if step.language != "bash":
                continue
            if ready := _ready_line(step.text):
                server.close()
                server.enter_context(terminal.running(step.text, ready))
            elif re.match(r"export |\w+=", step.text):
                _retry(partial(terminal.export, step.text))
            else:
                _retry(partial(_prints, terminal, step.text, last_lines))


def _ready_line(command: str) -> str:
    return next((ready for pattern, ready in _SERVERS.items() if re.match(pattern, command)), "")


def _prints(terminal: Terminal, command: str, last_lines: str) -> None:
    output = terminal.run(command)
    assert output.endswith(last_lines), (command, output)


def _retry(action: Callable[[], None]) -> None:
    deadline = time.monotonic() + _SECONDS
    while True:
        try:
            return action()
        except AssertionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
