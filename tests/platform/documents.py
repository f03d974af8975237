"""Executes the commands of a document, as a reader with two terminals does."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dapr_hero.testing import eventually

# The packages of this environment, without an installation.
MAKEFLAGS = f"--no-print-directory --old-file={sys.prefix}/installed -- VENV={sys.prefix}"
_BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)


def blocks(page: Path) -> list[tuple[str, str]]:
    """Return the language and the text of each fenced block."""
    return _BLOCK.findall(page.read_text())


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
    def running(self, command: str) -> Iterator[None]:
        """Keep the platform running; stop it as Ctrl-C does, which goes to the whole group."""
        log = self.folder / "up.log"
        with log.open("w") as out:
            process = subprocess.Popen(
                ["bash", "-c", command],
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
