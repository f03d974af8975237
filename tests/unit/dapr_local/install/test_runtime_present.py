"""Programs that are there already are used when they fit: chosen paths, PATH, the Dapr CLI's folder, the cache."""

from pathlib import Path

import pytest

from dapr_local.install.pins import VERSION
from dapr_local.install.runtime import DaprRuntime, RuntimeUnavailable, Sources, cache_folder, find
from tests.unit.dapr_local.fake_release import bare_machine, program, script
from tests.unit.dapr_local.program import PROGRAM

BOTH = ["daprd", "sentry"]


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare_machine(tmp_path, monkeypatch)


def sources(daprd_path: Path | None = None, sentry_path: Path | None = None) -> Sources:
    return Sources(PROGRAM, "http://127.0.0.1:1", daprd_path, sentry_path)


@pytest.mark.parametrize("name", BOTH)
def test_a_path_in_the_settings_goes_first(name: str, tmp_path: Path) -> None:
    for other in BOTH:
        program(tmp_path / "bin" / other, VERSION)
    mine = program(tmp_path / "mine" / name, VERSION)

    found = find(sources(**{f"{name}_path": mine}))

    assert found == DaprRuntime(**{n: tmp_path / ("mine" if n == name else "bin") / n for n in BOTH})


@pytest.mark.parametrize("name", BOTH)
def test_a_path_in_the_settings_must_fit(name: str, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.touch()
    wrong = program(tmp_path / "wrong" / name, "1.17.9")
    for path, fault in (
        (tmp_path / "none", "not a file"),
        (plain, "not executable"),
        (wrong, "version 1.17.9"),
    ):
        with pytest.raises(RuntimeUnavailable, match=rf"{name.upper()}_PATH={path} .*{fault}.* {VERSION}"):
            find(sources(**{f"{name}_path": path}))


def test_only_sentry_may_keep_its_version_to_itself(tmp_path: Path) -> None:
    silent = script(tmp_path / "silent", "exit 1")
    daprd = program(tmp_path / "daprd", VERSION)

    assert find(sources(daprd_path=daprd, sentry_path=silent)) == DaprRuntime(daprd, silent)
    with pytest.raises(RuntimeUnavailable, match="does not report its version"):
        find(sources(daprd_path=silent))


@pytest.mark.parametrize("folder", ["bin", "home/.dapr/bin"])
def test_an_installed_version_counts_only_when_it_fits(folder: str, tmp_path: Path) -> None:
    for name in BOTH:
        program(tmp_path / folder / name, VERSION)
    assert find(sources()) == DaprRuntime(**{name: tmp_path / folder / name for name in BOTH})

    program(tmp_path / folder / "daprd", "1.18.0")
    assert find(sources()) is None


def test_a_sentry_that_is_not_daprs_does_not_count(tmp_path: Path) -> None:
    program(tmp_path / "bin" / "daprd", VERSION)
    script(tmp_path / "bin" / "sentry", f"echo 'sentry, version {VERSION}'")

    assert find(sources()) is None


def test_the_cache_counts_when_nothing_installed_fits(tmp_path: Path) -> None:
    program(tmp_path / "bin" / "daprd", "1.17.9")
    for name in BOTH:
        program(cache_folder(PROGRAM) / name, VERSION)

    assert find(sources()) == DaprRuntime(**{name: cache_folder(PROGRAM) / name for name in BOTH})


def test_finding_leaves_nothing_behind() -> None:
    assert find(sources()) is None
    assert not cache_folder(PROGRAM).exists()
