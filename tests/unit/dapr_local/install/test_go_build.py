"""The build from source: what is built, with which components, and what it leaves behind."""

from collections.abc import Sequence
from pathlib import Path
from zipfile import ZipFile

import pytest
import yaml

from dapr_hero.local.resources import rendered, values
from dapr_hero.settings import Settings
from dapr_local.install import go_build
from dapr_local.install.go import BuildError, module_sum
from dapr_local.install.go_build import build
from dapr_local.install.pins import COMPONENTS, REPLACED, SOURCE, VERSION
from tests.unit.dapr_local.fake_release import RecordingReport, script

BUILD = 'while [ "$1" != -o ]; do shift; done; echo daprd > "$2daprd"; echo sentry > "$2sentry"'
MODULE = f"{SOURCE}@v{VERSION}"
FOREIGN = ("pubsub_pulsar", "state_cassandra", "pubsub_redis_test")
REPOSITORY = Path(__file__).parents[4]


@pytest.fixture(autouse=True)
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on PATH but the system's, with a `go` that builds at once."""
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setattr(go_build, "NEEDED_BYTES", 0)
    publish(tmp_path, monkeypatch, [*COMPONENTS, *FOREIGN, "zz_notag"])
    fake_go(tmp_path / "bin")
    return tmp_path / "bin"


@pytest.fixture
def work(tmp_path: Path) -> Path:
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


def publish(folder: Path, monkeypatch: pytest.MonkeyPatch, components: Sequence[str]) -> None:
    """Put a module with these components where the fake Go finds it, and pin it."""
    with ZipFile(folder / "dapr.zip", "w") as archive:
        archive.writestr(f"{MODULE}/go.mod", f"module {SOURCE}\n")
        archive.writestr(f"{MODULE}/go.sum", "a v1 h1:a=\n")
        for name in components:
            archive.writestr(f"{MODULE}/cmd/daprd/components/{name}.go", "package components\n")
        monkeypatch.setattr(go_build, "SOURCE_SUM", module_sum(archive))


def fake_go(folder: Path, **replaced: str) -> Path:
    """A `go` that builds at once; give a subcommand's name to replace what it does."""
    caches = folder.parent / "caches"
    commands = {
        "version": "echo go version go1.99.0 some/where",
        "env": f"echo {caches}/build; echo {caches}/modules",
        "mod": f"""echo '{{"Zip": "{folder.parent}/dapr.zip"}}'""",
        "list": "echo go: downloading one v1; echo go: downloading two v2; echo a; echo b; echo c",
        "build": f"echo compiled; {BUILD}",
    } | replaced
    cases = [f"{name}) {command};;" for name, command in commands.items()]
    return script(folder / "go", f'echo "$@" >> {folder}/calls', 'case "$1" in', *cases, "esac")


def sources(work: Path) -> set[str]:
    return {path.stem for path in (work / MODULE / "cmd" / "daprd" / "components").iterdir()}


def test_both_are_built_and_the_progress_is_told(path: Path, work: Path) -> None:
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
    assert f"-X github.com/dapr/dapr/pkg/buildinfo.version={VERSION}" in called
    assert f"-X github.com/dapr/kit/logger.DaprVersion={VERSION}" in called
    assert "-mod=readonly -trimpath -tags allcomponents" in called
    assert "./cmd/daprd ./cmd/sentry" in called


def test_only_what_is_asked_for_is_built(path: Path, work: Path) -> None:
    assert set(build(["sentry"], work, RecordingReport())) == {"sentry"}
    assert "./cmd/daprd" not in (path / "calls").read_text()


def test_only_the_components_in_use_are_built(work: Path) -> None:
    build(["daprd"], work, RecordingReport())
    assert sources(work) == COMPONENTS | {"zz_notag"}


def test_a_component_that_is_not_there_is_told(
    work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(tmp_path, monkeypatch, sorted(COMPONENTS - {"pubsub_kafka"}))
    with pytest.raises(BuildError, match="no component pubsub_kafka"):
        build(["daprd"], work, RecordingReport())


def test_each_component_of_our_resources_is_built() -> None:
    local = values(Settings(), Path("secrets.json"), mtls=True)
    texts = [text for config in ("inventory", "products") for text in rendered(config, local).values()]
    texts += [
        file.read_text() for folder in ("k8s", "tests") for file in (REPOSITORY / folder).rglob("*.yaml")
    ]
    documents = [document for text in texts for document in yaml.safe_load_all(text)]
    resources = [document for document in documents if isinstance(document, dict)]
    types = {each["spec"]["type"] for each in resources if each.get("kind") == "Component" and "spec" in each}
    assert {"pubsub.redis", "state.redis", "secretstores.local.file"} <= types
    assert {each.replace(".", "_") for each in types} <= COMPONENTS


def test_a_module_that_the_proxy_lacks_is_replaced_and_pinned(path: Path, work: Path) -> None:
    build(["daprd"], work, RecordingReport())
    called = (path / "calls").read_text()
    sums = (work / MODULE / "go.sum").read_text().splitlines()
    assert sums[0] == "a v1 h1:a="
    assert REPLACED
    for module, pinned in REPLACED.items():
        assert f"mod edit -replace={module}={module}@{pinned.version}\n" in called
        assert f"{module} {pinned.version} {pinned.sum}" in sums
        assert f"{module} {pinned.version}/go.mod {pinned.mod_sum}" in sums


def test_another_source_is_refused(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(go_build, "SOURCE_SUM", "h1:other")
    with pytest.raises(BuildError, match=r"v1\..* has the checksum h1:.*, but h1:other is expected"):
        build(["daprd"], work, RecordingReport())


@pytest.mark.parametrize(
    ("step", "does", "told"),
    [
        ("list", "echo a; echo no network; exit 1", "go list failed: no network"),
        ("build", "echo a; echo disk full; exit 1", "go build failed: disk full"),
    ],
)
def test_a_failed_step_is_told(step: str, does: str, told: str, path: Path, work: Path) -> None:
    fake_go(path, **{step: does})
    with pytest.raises(BuildError, match=told):
        build(["daprd"], work, RecordingReport())


def test_go_keeps_its_temporary_files_where_they_are_cleared_up(path: Path, work: Path) -> None:
    fake_go(path, build="echo temporary files in $GOTMPDIR; exit 1")
    with pytest.raises(BuildError, match=f"temporary files in {work}$"):
        build(["daprd"], work, RecordingReport())


def test_caches_without_dapr_stay_as_they_are(path: Path, work: Path) -> None:
    fill = "mkdir -p $GOCACHE $GOMODCACHE; head -c 3000 /dev/zero > $GOMODCACHE/module; mkdir -p $GOCACHE/1"
    fake_go(path, build=f"{fill}; head -c 2000 /dev/zero > $GOCACHE/1/package; {BUILD}")
    report = RecordingReport()

    build(["daprd"], work, report)

    assert not (path.parent / "caches").exists()
    assert {each.name for each in work.iterdir()} == {"out", "github.com"}
    assert report.lines[-1] == "Removing the build's own caches, 5.0 kB; nothing is left in Go's"


def test_a_disk_that_is_too_full_is_told_at_once(
    path: Path, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(go_build, "NEEDED_BYTES", 10**18)
    with pytest.raises(BuildError, match=f"it needs 1.0 EB in {work.parent}, .* are free"):
        build(["daprd"], work, RecordingReport())
    assert "mod" not in (path / "calls").read_text()


def test_caches_that_know_dapr_are_used_and_their_growth_is_told(path: Path, work: Path) -> None:
    caches = path.parent / "caches"
    (caches / "modules" / "github.com" / "dapr" / "components-contrib@v1").mkdir(parents=True)
    (caches / "build").mkdir()
    (caches / "build" / "old").write_bytes(b"x" * 9000)
    fake_go(path, build=f"echo [$GOCACHE]; head -c 2000 /dev/zero > {caches}/build/new; {BUILD}")
    report = RecordingReport()

    build(["daprd"], work, report)

    assert report.lines[-1] == (
        f"Go's caches {caches}/build and {caches}/modules grew by 2.0 kB; "
        "`go clean -cache -modcache` empties them"
    )
