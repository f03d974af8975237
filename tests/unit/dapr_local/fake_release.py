"""A small world for the installation of Dapr: programs that answer, a release server, a report that remembers."""

import gzip
import io
import platform
import ssl
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from dapr_local.progress import Advance

SENTRY_LOG = 'level=info msg="Starting Dapr Sentry certificate authority -- version {} -- commit "'
# A key and a certificate that it signed itself, for 127.0.0.1. Nothing but these tests trusts it.
CERTIFICATE = Path(__file__).with_name("loopback.pem")


def bare_machine(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave nothing on this machine: its own home, cache and PATH below `home`, no proxy, no settings."""
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
    """Return an executable shell script at `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(["#!/bin/sh", *lines, ""]))
    path.chmod(0o755)
    return path


def program(path: Path, version: str) -> Path:
    """Return a daprd or sentry, by the name of the file, that tells this version."""
    return script(path, answer(path.name, version))


def answer(name: str, version: str) -> str:
    """Return the line of a shell script that tells the version as that program does."""
    return f"echo '{SENTRY_LOG.format(version) if name == 'sentry' else version}'"


def archive(member: str, content: bytes) -> bytes:
    """Return a tar.gz with this one file, always the same: the names of tests hold its checksum."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        entry = tarfile.TarInfo(member)
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    return gzip.compress(packed.getvalue(), mtime=0)


class ReleaseServer(ThreadingHTTPServer):
    """Serves `files` by their path, and remembers the requests in `asked`."""

    def __init__(self, certificate: Path | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, bytes] = {}
        self.redirects: dict[str, str] = {}
        self.statuses: dict[str, int] = {}
        self.broken = 0  # so many answers of a file break off half-way
        self.stalls = False  # an answer stops half-way, and its connection stays open
        self.stopped = threading.Event()
        self.asked: list[str] = []
        self._scheme = "https" if certificate else "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self.server_port}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a client that refuses the certificate, or gives up, is what some tests want."""


class _Handler(BaseHTTPRequestHandler):
    server: ReleaseServer

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        if location := self.server.redirects.get(self.path):
            self.send_response(302)
            self.send_header("Location", location)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        content = self.server.files.get(self.path)
        self.send_response(self.server.statuses.get(self.path, 404 if content is None else 200))
        self.send_header("Content-Length", str(len(content or b"")))
        self.end_headers()
        self._send(content or b"")

    def _send(self, content: bytes) -> None:
        half = content[: len(content) // 2]
        if self.server.stalls:
            self.wfile.write(half)
            self.wfile.flush()
            self.server.stopped.wait()
        elif self.server.broken:
            self.server.broken -= 1
            self.wfile.write(half)
        else:
            self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@contextmanager
def release_server(certificate: Path | None = None) -> Iterator[ReleaseServer]:
    """Give a server that runs while the block does; with a certificate, over TLS."""
    with ReleaseServer(certificate) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.stopped.set()
            server.shutdown()
            thread.join()
