import os
import stat
from pathlib import Path

import pytest

from dapr_hero.local.data import DataDir, location
from dapr_hero.settings import Settings
from dapr_local.errors import DataError


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "state" / "data")


def _opened_once(settings: Settings) -> Path:
    """The directory after a run that left a file of a store."""
    data = DataDir.open(settings)
    (data.folder("valkey") / "appendonly").write_text("an event")
    data.close()
    return data.root


def test_data_stays_and_logs_do_not(settings: Settings) -> None:
    root = _opened_once(settings)
    (root / "logs" / "valkey.log").parent.mkdir(exist_ok=True)
    (root / "logs" / "valkey.log").write_text("old")
    (root / "run").mkdir(exist_ok=True)
    (root / "run" / "valkey.conf").write_text("old")

    data = DataDir.open(settings)

    assert (root / "valkey" / "appendonly").read_text() == "an event"
    assert not data.log("valkey").exists()
    assert list(data.run.iterdir()) == []
    data.close()


def test_fresh_forgets_the_data(settings: Settings) -> None:
    root = _opened_once(settings)

    DataDir.open(settings, fresh=True).close()

    assert not (root / "valkey").exists()
    assert {path.name for path in root.iterdir()} == {"format", "lock"}


def test_fresh_does_not_follow_links(settings: Settings, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "photo").touch()
    root = _opened_once(settings)
    (root / "link").symlink_to(precious)

    DataDir.open(settings, fresh=True).close()

    assert (precious / "photo").exists()
    assert not (root / "link").is_symlink()


@pytest.mark.parametrize("fresh", [False, True])
@pytest.mark.parametrize("marker", [None, "somebody else's format\n"])
def test_a_directory_of_somebody_else_is_refused(settings: Settings, fresh: bool, marker: str | None) -> None:
    root = location(settings)
    root.mkdir(parents=True)
    (root / "thesis").write_text("three years")
    if marker:
        (root / "format").write_text(marker)

    with pytest.raises(
        DataError, match=f"^DAPR_HERO_DATA_DIR={root} is not empty and was not created by dapr-hero"
    ):
        DataDir.open(settings, fresh=fresh)

    assert (root / "thesis").read_text() == "three years"
    assert not (root / "lock").exists()


def test_another_format_is_refused_and_told_what_to_do(settings: Settings) -> None:
    root = _opened_once(settings)
    (root / "format").write_text("dapr-hero data, format 99\n")

    with pytest.raises(
        DataError, match=rf"^DAPR_HERO_DATA_DIR={root} .*format 99.*--fresh .*DAPR_HERO_DATA_DIR"
    ):
        DataDir.open(settings)

    assert (root / "valkey" / "appendonly").exists()


def test_fresh_takes_another_format(settings: Settings) -> None:
    root = _opened_once(settings)
    (root / "format").write_text("dapr-hero data, format 99\n")

    DataDir.open(settings, fresh=True).close()

    DataDir.open(settings).close()


@pytest.mark.parametrize("fresh", [False, True])
def test_two_runners_never_share_it(settings: Settings, fresh: bool) -> None:
    first = DataDir.open(settings)
    (first.folder("valkey") / "appendonly").touch()

    with pytest.raises(
        DataError, match=rf"^DAPR_HERO_DATA_DIR={first.root} is in use .*\(pid {os.getpid()}\)"
    ):
        DataDir.open(settings, fresh=fresh)

    assert (first.root / "valkey" / "appendonly").exists()
    first.close()
    DataDir.open(settings).close()


def test_a_refusal_leaves_no_lock(settings: Settings) -> None:
    root = _opened_once(settings)
    (root / "format").write_text("dapr-hero data, format 99\n")
    with pytest.raises(DataError):
        DataDir.open(settings)

    with pytest.raises(DataError, match="format 99"):
        DataDir.open(settings)


def test_a_file_in_its_place(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "data").touch()

    with pytest.raises(DataError, match=r"^DAPR_HERO_DATA_DIR=.* cannot be used: Not a directory"):
        DataDir.open(settings)


def test_others_cannot_read_it(settings: Settings) -> None:
    location(settings).mkdir(parents=True)
    location(settings).chmod(0o777)

    data = DataDir.open(settings)

    # As root, PostgreSQL's account has to get through to its own folder.
    assert stat.S_IMODE(data.root.stat().st_mode) == (0o711 if os.geteuid() == 0 else 0o700)
    assert stat.S_IMODE(data.folder("valkey").stat().st_mode) == 0o700
    data.close()


def test_where_it_is_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/somewhere")

    if os.geteuid() == 0:  # PostgreSQL steps down, and its account cannot enter root's home
        assert not location(Settings(data_dir=None)).is_relative_to(Path.home())
    elif os.uname().sysname == "Linux":
        assert location(Settings(data_dir=None)) == Path("/somewhere/dapr-hero")
