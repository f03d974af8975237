"""The Collector comes from PATH, the cache, its release or a build, in this order."""

import hashlib
import sys
from pathlib import Path

import pytest

from dapr_local.errors import LocalError
from dapr_local.install import collector
from dapr_local.install.collector import CHECKSUMS, VERSION, Sources, find, obtain
from dapr_local.install.go import BuildError
from dapr_local.progress import Report
from tests.unit.dapr_local.fake_release import RecordingReport, ReleaseServer, archive, bare_machine, script
from tests.unit.dapr_local.install.test_go_build import fake_go
from tests.unit.dapr_local.program import PROGRAM

ARCHIVE = f"otelcol_{VERSION}_{sys.platform}_arm64.tar.gz"
CONTENT = archive("otelcol", b"#!/bin/sh\n")
LISTING = f"{'0' * 64}  otelcol_{VERSION}_other.tar.gz\n{hashlib.sha256(CONTENT).hexdigest()}  {ARCHIVE}\n"


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare_machine(tmp_path, monkeypatch)


@pytest.fixture
def sources(server: ReleaseServer) -> Sources:
    return Sources(PROGRAM, f"http://127.0.0.1:{server.server_port}")


def publish(server: ReleaseServer, listing: str = LISTING) -> None:
    server.files = {f"/v{VERSION}/{ARCHIVE}": CONTENT, f"/v{VERSION}/{CHECKSUMS}": listing.encode()}


def built(work: Path, _: Report) -> Path:
    return script(work / "otelcol", "echo built")


def not_built(_work: Path, _report: Report) -> Path:
    raise BuildError("Go is not installed")


def test_a_release_is_verified_by_its_listing_and_kept(
    server: ReleaseServer, sources: Sources, report: RecordingReport
) -> None:
    publish(server)

    path = obtain(sources, report, not_built)

    assert path.read_bytes() == b"#!/bin/sh\n"
    assert path.stat().st_mode & 0o111
    assert find(sources) == path == obtain(Sources(PROGRAM, "http://127.0.0.1:1"), report, not_built)


def test_an_archive_that_does_not_match_the_listing_is_not_used(
    server: ReleaseServer, sources: Sources, report: RecordingReport
) -> None:
    publish(server, f"{'1' * 64}  {ARCHIVE}\n")

    with pytest.raises(
        LocalError, match=f"^the OpenTelemetry Collector {VERSION} cannot be installed: .*sha256"
    ):
        obtain(sources, report, built)
    assert find(sources) is None


@pytest.mark.parametrize(
    "listing", ["", f"{'0' * 64}  another.tar.gz\n", LISTING * 2, hashlib.sha256(CONTENT).hexdigest()]
)
def test_it_is_built_where_no_release_can_be_verified(
    server: ReleaseServer, sources: Sources, report: RecordingReport, listing: str
) -> None:
    publish(server, listing)

    assert obtain(sources, report, built).read_text() == "#!/bin/sh\necho built\n"
    assert any("building from source instead" in line for line in report.lines)


def test_the_error_names_the_reason(sources: Sources, report: RecordingReport) -> None:
    with pytest.raises(LocalError, match="cannot be installed: Go is not installed"):
        obtain(sources, report, not_built)


@pytest.mark.parametrize(("version", "is_used"), [(VERSION, True), ("0.1.0", False)])
def test_the_one_on_path_is_used_in_the_same_version(
    sources: Sources, tmp_path: Path, version: str, is_used: bool
) -> None:
    path = script(tmp_path / "bin" / "otelcol", f"echo otelcol version {version}")

    assert find(sources) == (path if is_used else None)


def test_the_modules_are_those_of_the_version() -> None:
    modules = (collector.SOURCE / "go.mod").read_text()

    assert f"go.opentelemetry.io/collector/otelcol v{VERSION}" in modules
    assert f"exporter/zipkinexporter v{VERSION}" in modules


@pytest.mark.parametrize("are_known", [True, False])
def test_a_build_leaves_nothing_in_caches_without_its_modules(
    tmp_path: Path, report: RecordingReport, are_known: bool
) -> None:
    caches, work = tmp_path / "caches", tmp_path / "work"
    if are_known:
        (caches / "modules" / "go.opentelemetry.io" / "collector" / "otelcol@v1").mkdir(parents=True)
    build = 'while [ "$1" != -o ]; do shift; done; echo "$GOCACHE" > "$2"'
    fake_go(
        tmp_path / "bin", env=f"echo go: warning; echo {caches}/build; echo {caches}/modules", build=build
    )
    work.mkdir()

    binary = collector.build_from_source(work, report)

    assert binary.read_text() == ("\n" if are_known else f"{work}/go/build\n")
    assert report.tracked[f"Building otelcol {VERSION}"] == (3, 3)
