"""Dapr's programs come from where the settings say, under the names of this program's variables."""

import hashlib
from pathlib import Path

import pytest

from dapr_hero.local import runtime
from dapr_hero.local.program import PROGRAM
from dapr_hero.settings import Settings
from dapr_local.install.pins import VERSION
from dapr_local.install.runtime import DaprRuntime, RuntimeUnavailable, archive_name, cache_folder
from tests.unit.dapr_local.fake_release import (
    RecordingReport,
    answer,
    archive,
    bare_machine,
    program,
    release_server,
)


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare_machine(tmp_path, monkeypatch)


def test_the_paths_of_the_settings_are_found(tmp_path: Path) -> None:
    mine = [program(tmp_path / "mine" / name, VERSION) for name in ("daprd", "sentry")]
    settings = Settings(daprd_path=mine[0], sentry_path=mine[1])
    assert runtime.find(settings) == DaprRuntime(*mine)
    assert runtime.obtain(settings, RecordingReport()) == DaprRuntime(*mine)


def test_a_machine_without_them_has_none(tmp_path: Path) -> None:
    assert runtime.find(Settings()) is None
    assert runtime.find(Settings(daprd_path=program(tmp_path / "daprd", VERSION))) is None


def test_a_path_that_does_not_fit_is_told_with_its_variable(tmp_path: Path) -> None:
    with pytest.raises(RuntimeUnavailable, match="DAPR_HERO_SENTRY_PATH=/nowhere is not a file"):
        runtime.find(Settings(sentry_path=Path("/nowhere")))
    old = program(tmp_path / "daprd", "1.17.9")
    with pytest.raises(RuntimeUnavailable, match=r"DAPR_HERO_DAPRD_PATH=.* is version 1\.17\.9"):
        runtime.obtain(Settings(daprd_path=old), RecordingReport())


def test_missing_ones_come_from_the_place_of_the_settings_into_our_cache() -> None:
    report = RecordingReport()
    with release_server() as server:
        for name in ("daprd", "sentry"):
            packed = archive(name, f"#!/bin/sh\n{answer(name, VERSION)}\n".encode())
            path = f"/mirror/v{VERSION}/{archive_name(name)}"
            server.files[path] = packed
            server.files[f"{path}.sha256"] = hashlib.sha256(packed).hexdigest().encode()
        settings = Settings(dapr_release_url=f"{server.url}/mirror")
        found = runtime.obtain(settings, report)
    folder = cache_folder(PROGRAM)
    assert found == DaprRuntime(folder / "daprd", folder / "sentry") == runtime.find(Settings())
    assert str(folder) in report.lines[0]
