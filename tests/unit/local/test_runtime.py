from pathlib import Path

import pytest

from dapr_hero.local import runtime
from dapr_hero.settings import Settings
from dapr_local.install.pins import VERSION
from dapr_local.install.runtime import DaprRuntime, RuntimeUnavailable
from tests.unit.dapr_local.fake_release import RecordingReport, bare_machine, program


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare_machine(tmp_path, monkeypatch)


def test_the_paths_of_the_settings_are_used(tmp_path: Path) -> None:
    daprd, sentry = (program(tmp_path / name, VERSION) for name in ("daprd", "sentry"))
    settings = Settings(daprd_path=daprd, sentry_path=sentry)

    assert runtime.find(settings) == DaprRuntime(daprd, sentry)
    assert runtime.obtain(settings, RecordingReport()) == DaprRuntime(daprd, sentry)


def test_an_error_names_our_variables(tmp_path: Path) -> None:
    with pytest.raises(RuntimeUnavailable, match=r"^DAPR_HERO_DAPRD_PATH=.*Set DAPR_HERO_DAPRD_PATH"):
        runtime.find(Settings(daprd_path=tmp_path / "none"))
