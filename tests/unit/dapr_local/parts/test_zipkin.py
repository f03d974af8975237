import asyncio
import hashlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import jgo.maven
import pytest

from dapr_local.errors import LocalError
from dapr_local.parts import zipkin
from dapr_local.progress import Advance

JAR = b"a jar"
Progress = Callable[[str, int], AbstractContextManager[Advance]]


class Repository:
    """Maven as the resolver shows it; what it has is put into the folder it is given."""

    def __init__(self, content: bytes = JAR, fault: Exception | None = None) -> None:
        self.content = content
        self.fault = fault
        self.asked: list[tuple[str, ...]] = []
        self.progress: Progress
        self.folder: Path
        self.endless = False

    def resolver(self, progress_callback: Progress) -> None:
        self.progress = progress_callback

    def context(self, _resolver: None, repo_cache: Path, timeout: int) -> "Repository":
        self.folder = repo_cache
        return self

    def project(self, *names: str) -> "Repository":
        self.asked.append(names)
        return self

    def at_version(self, version: str) -> "Repository":
        self.asked.append((version,))
        return self

    def artifact(self, classifier: str, packaging: str) -> "Repository":
        self.asked.append((classifier, packaging))
        return self

    def resolve(self) -> Path:
        if self.fault:
            raise self.fault
        with self.progress("zipkin.jar", len(self.content)) as advance:
            advance(len(self.content))
            while self.endless:
                advance(0)
        jar = self.folder / "zipkin.jar"
        jar.write_bytes(self.content)
        return jar


class Report:
    """Keeps the amount of reported work."""

    def __init__(self) -> None:
        self.done = 0

    def say(self, message: str) -> None:
        raise NotImplementedError

    @contextmanager
    def _track(self) -> Iterator[Advance]:
        def advance(amount: int) -> None:
            self.done += amount

        yield advance

    def track(
        self, description: str, total: int | None, unit: str = "steps"
    ) -> AbstractContextManager[Advance]:
        assert (total, unit) == (len(JAR), "bytes")
        return self._track()


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def repository(monkeypatch: pytest.MonkeyPatch) -> Repository:
    repository = Repository()
    monkeypatch.setattr(jgo.maven, "PythonResolver", repository.resolver)
    monkeypatch.setattr(jgo.maven, "MavenContext", repository.context)
    monkeypatch.setattr(zipkin, "SHA256", hashlib.sha256(JAR).hexdigest())
    return repository


def files(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def test_it_is_downloaded_once(repository: Repository, cache: Path) -> None:
    report = Report()
    assert not zipkin.jar_path(cache).exists()

    jar = await zipkin.fetch(cache, report)

    assert jar.read_bytes() == JAR
    assert zipkin.jar_path(cache) == jar
    assert report.done == len(JAR)
    assert repository.asked == [("io.zipkin", "zipkin-server"), (zipkin.VERSION,), (zipkin.CLASSIFIER, "jar")]
    assert files(cache) == [jar.name]
    assert await zipkin.fetch(cache, report) == jar
    assert len(repository.asked) == 3


async def test_another_jar_than_expected_is_refused(repository: Repository, cache: Path) -> None:
    repository.content = b"a jaw"

    with pytest.raises(LocalError, match=r"^zipkin from Maven has the sha256 .* is expected$"):
        await zipkin.fetch(cache, Report())

    assert not zipkin.jar_path(cache).exists()


@pytest.mark.parametrize("fault", [RuntimeError("not found"), OSError("no network")])
async def test_a_download_that_fails_is_one_clear_line(
    repository: Repository, cache: Path, fault: Exception
) -> None:
    repository.fault = fault

    with pytest.raises(LocalError, match=f"^zipkin cannot be downloaded from Maven: {fault}$"):
        await zipkin.fetch(cache, Report())


async def test_a_download_ends_with_who_waits_for_it(repository: Repository, cache: Path) -> None:
    """Its thread would go on otherwise, and hold up the end of the program."""
    repository.endless = True
    report = Report()
    fetching = asyncio.create_task(zipkin.fetch(cache, report))
    async with asyncio.timeout(10):
        while not report.done:
            await asyncio.sleep(0.01)

        fetching.cancel()

        while files(cache):
            await asyncio.sleep(0.01)
    with pytest.raises(asyncio.CancelledError):
        await fetching
