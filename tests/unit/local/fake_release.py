"""What obtaining Dapr meets, small: programs that answer, a release server, a report that remembers."""

import io
import platform
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from dapr_hero.local.report import Advance

SENTRY_LOG = 'level=info msg="Starting Dapr Sentry certificate authority -- version {} -- commit "'


def bare_machine(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with nothing on it: its own home, cache and PATH below `home`, no proxy, no settings."""
    for key, folder in (("HOME", "home"), ("XDG_CACHE_HOME", "cache"), ("PATH", "bin")):
        monkeypatch.setenv(key, str(home / folder))
    for key in ("DAPR_HERO_DAPRD_PATH", "DAPR_HERO_SENTRY_PATH", "DAPR_HERO_DAPR_RELEASE_URL"):
        monkeypatch.delenv(key, raising=False)
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")


class RecordingReport:
    """Remembers the lines and, per description, the total and the amount done."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.tracked: dict[str, tuple[int | None, int]] = {}

    def say(self, message: str) -> None:
        self.lines.append(message)

    @contextmanager
    def track(self, description: str, total: int | None, unit: str = "steps") -> Iterator[Advance]:
        self.tracked[description] = (total, 0)

        def advance(amount: int) -> None:
            self.tracked[description] = (total, self.tracked[description][1] + amount)

        yield advance


def script(path: Path, *lines: str) -> Path:
    """An executable shell script."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(["#!/bin/sh", *lines, ""]))
    path.chmod(0o755)
    return path


def program(path: Path, version: str) -> Path:
    """A daprd or sentry, by the name of the file, that tells this version."""
    return script(path, answer(path.name, version))


def answer(name: str, version: str) -> str:
    """The line of a shell script that tells the version as that program does."""
    return f"echo '{SENTRY_LOG.format(version) if name == 'sentry' else version}'"


def archive(member: str, content: bytes) -> bytes:
    """A tar.gz with this one file."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        entry = tarfile.TarInfo(member)
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


class ReleaseServer(ThreadingHTTPServer):
    """Serves `files` by their path, and remembers what was asked for."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, bytes] = {}
        self.cut_off = 0  # bytes that are promised, but not sent
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: ReleaseServer

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        content = self.server.files.get(self.path)
        self.send_response(404 if content is None else 200)
        self.send_header("Content-Length", str(len(content or b"") + self.server.cut_off))
        self.end_headers()
        self.wfile.write(content or b"")

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@contextmanager
def release_server() -> Iterator[ReleaseServer]:
    """A server that runs while the block does."""
    with ReleaseServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
