"""The real platform for your own tests: real daprd, Sentry, Valkey, PostgreSQL and Zipkin, on free ports.

In the top conftest.py: `pytest_plugins = ["dapr_hero.testing"]`, and a test that asks for `platform` gets
one, in the mode of DAPR_MODE. For others (a mode, a subset, a second sidecar) use `start_platform`.
"""

import asyncio
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx2 as httpx
import psutil
import pytest

from dapr_hero import settings
from dapr_hero.contract import items
from dapr_hero.local import runtime
from dapr_hero.local.chosen_ports import on_free_ports
from dapr_hero.local.platform import Platform
from dapr_hero.settings import Settings
from dapr_hero.sidecar import tokens
from dapr_local.install.runtime import DaprRuntime
from dapr_local.progress import ConsoleReport

T = TypeVar("T")

_DEADLINE_SECONDS = 30.0


def eventually(look: Callable[[], T], *, seconds: float = _DEADLINE_SECONDS) -> T:
    """Return the result of `look` once it is true; fail with its last result after the deadline."""
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        if time.monotonic() > deadline:
            pytest.fail(f"not within {seconds:g} s; last seen: {seen!r}")
        time.sleep(0.02)
    return seen


class RunningPlatform:
    """A platform that runs on a separate thread, for synchronous and asynchronous tests."""

    def __init__(self, platform: Platform, loop: asyncio.AbstractEventLoop, http: httpx.Client) -> None:
        self._platform = platform
        self._loop = loop
        self._http = http
        self.settings = platform.settings
        self.inventories = platform.inventories

    def restart(self, part: str) -> None:
        """Stop a part as at the end, and start it again."""
        self._do(self._platform.runner.restart(part))

    def stop(self, part: str) -> None:
        self._do(self._platform.runner.stop(part))

    def start(self, *parts: str) -> None:
        """Start parts, those that wait for each other together, and wait until they are ready."""
        self._do(self._platform.runner.start(*parts))

    def kill(self, part: str) -> None:
        """End a part with SIGKILL."""
        self._do(self._platform.runner.kill(part))

    def pause(self, part: str) -> None:
        """Stall a part and its children, as a machine that hangs does; `resume` ends that."""
        self._signal(part, signal.SIGSTOP)

    def resume(self, part: str) -> None:
        self._signal(part, signal.SIGCONT)

    @property
    def pids(self) -> dict[str, int]:
        """The processes of all parts; each may have children."""
        return {name: process.pid for name, process in self._platform.runner.processes.items() if process.pid}

    @property
    def dead(self) -> list[str]:
        """The parts that have ended."""
        return [name for name, process in self._platform.runner.processes.items() if not process.running]

    def log(self, part: str) -> str:
        """Return the log of a part."""
        return self._platform.runner.processes[part].log.read_text()

    def publish(self, event: Mapping[str, Any] | bytes, **headers: str) -> None:
        """Publish a CloudEvent through inventory's sidecar."""
        s = self.settings
        url = f"http://127.0.0.1:{s.dapr_http_port}/v1.0/publish/{s.pubsub_name}/{s.pubsub_topic}"
        body = event if isinstance(event, bytes) else items.encode(event)
        whole = {"content-type": "application/cloudevents+json", **tokens.to_daprd(s), **headers}
        self._http.post(url, content=body, headers=whole).raise_for_status()

    def get(self, path: str) -> httpx.Response:
        """Send a GET to inventory's REST API, with the path as it goes over the wire."""
        return self._http.get(f"http://127.0.0.1:{self.settings.inventory_port}{path}")

    def trace(self, trace_id: str) -> list[dict[str, Any]]:
        """Return the spans of a trace that have reached Zipkin."""
        answer = self._http.get(f"http://127.0.0.1:{self.settings.zipkin_port}/api/v2/trace/{trace_id}")
        spans: list[dict[str, Any]] = answer.json() if answer.status_code == 200 else []
        return spans

    def process(self, part: str) -> psutil.Process:
        """Return the current process of a part."""
        return psutil.Process(self._platform.runner.processes[part].pid)

    def _signal(self, part: str, signum: signal.Signals) -> None:
        main = self.process(part)
        for process in [main, *main.children(recursive=True)]:
            process.send_signal(signum)

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result()


@contextmanager
def start_platform(chosen: Settings, found: DaprRuntime, **options: Any) -> Iterator[RunningPlatform]:
    """Run a platform with these settings; `options` are those of `Platform`. Raises: LocalError."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="platform")
    thread.start()

    def do(work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, loop).result()

    try:
        platform = do(Platform(chosen, found, ConsoleReport(), **options).__aenter__())
        try:
            with httpx.Client(timeout=_DEADLINE_SECONDS, trust_env=False) as http:
                yield RunningPlatform(platform, loop, http)
        finally:
            do(platform.__aexit__(None, None, None))
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture(scope="session")
def dapr_runtime() -> DaprRuntime:
    """Dapr's binaries: found, downloaded or built."""
    return runtime.obtain(settings.load(), ConsoleReport())


@pytest.fixture(scope="module")
def data_dir() -> Iterator[Path]:
    """Provide a temporary data directory, open to others, because PostgreSQL never runs as root."""
    with tempfile.TemporaryDirectory(prefix="dapr-hero-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder) / "data"


@pytest.fixture(scope="module")
def platform(dapr_runtime: DaprRuntime, data_dir: Path) -> Iterator[RunningPlatform]:
    """Run the whole platform on free ports in the mode of DAPR_MODE, for the tests of a module."""
    mode = settings.load().dapr_mode
    with start_platform(on_free_ports(dapr_mode=mode, data_dir=data_dir), dapr_runtime) as running:
        yield running
