import os
import stat
from pathlib import Path

import pytest

from dapr_local.data import DataDir
from dapr_local.errors import DataError
from tests.unit.dapr_local.program import PROGRAM


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "state" / "data"


def _opened_once(root: Path) -> None:
    """The directory after a run that left a file of a store."""
    data = DataDir.open(root, PROGRAM)
    (data.folder("valkey") / "appendonly").write_text("an event")
    data.close()


def test_data_stays_and_logs_do_not(root: Path) -> None:
    _opened_once(root)
    (root / "logs" / "valkey.log").parent.mkdir(exist_ok=True)
    (root / "logs" / "valkey.log").write_text("old")
    (root / "run").mkdir(exist_ok=True)
    (root / "run" / "valkey.conf").write_text("old")

    data = DataDir.open(root, PROGRAM)

    assert (root / "valkey" / "appendonly").read_text() == "an event"
    assert not data.log("valkey").exists()
    assert list(data.run.iterdir()) == []
    data.close()


def test_fresh_forgets_the_data(root: Path) -> None:
    _opened_once(root)

    DataDir.open(root, PROGRAM, fresh=True).close()

    assert not (root / "valkey").exists()
    assert {path.name for path in root.iterdir()} == {"format", "lock"}


def test_fresh_does_not_follow_links(root: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "photo").touch()
    _opened_once(root)
    (root / "link").symlink_to(precious)

    DataDir.open(root, PROGRAM, fresh=True).close()

    assert (precious / "photo").exists()
    assert not (root / "link").is_symlink()


@pytest.mark.parametrize("fresh", [False, True])
@pytest.mark.parametrize("marker", [None, "format of another program\n"])
def test_a_directory_of_somebody_else_is_refused(root: Path, fresh: bool, marker: str | None) -> None:
    root.mkdir(parents=True)
    (root / "thesis").write_text("three years")
    if marker:
        (root / "format").write_text(marker)

    with pytest.raises(
        DataError, match=f"^ORDERS_DATA_DIR={root} is not empty and was not created by orders"
    ):
        DataDir.open(root, PROGRAM, fresh=fresh)

    assert (root / "thesis").read_text() == "three years"
    assert not (root / "lock").exists()


def test_another_format_is_refused_and_told_what_to_do(root: Path) -> None:
    _opened_once(root)
    (root / "format").write_text("orders data, format 99\n")

    with pytest.raises(DataError, match=rf"^ORDERS_DATA_DIR={root} .*format 99.*--fresh .*ORDERS_DATA_DIR"):
        DataDir.open(root, PROGRAM)

    assert (root / "valkey" / "appendonly").exists()


def test_fresh_takes_another_format(root: Path) -> None:
    _opened_once(root)
    (root / "format").write_text("orders data, format 99\n")

    DataDir.open(root, PROGRAM, fresh=True).close()

    DataDir.open(root, PROGRAM).close()


@pytest.mark.parametrize("fresh", [False, True])
def test_two_runners_never_share_it(root: Path, fresh: bool) -> None:
    first = DataDir.open(root, PROGRAM)
    (first.folder("valkey") / "appendonly").touch()

    with pytest.raises(DataError, match=rf"^ORDERS_DATA_DIR={first.root} is in use .*\(pid {os.getpid()}\)"):
        DataDir.open(root, PROGRAM, fresh=fresh)

    assert (first.root / "valkey" / "appendonly").exists()
    first.close()
    DataDir.open(root, PROGRAM).close()


def test_a_refusal_leaves_no_lock(root: Path) -> None:
    _opened_once(root)
    (root / "format").write_text("orders data, format 99\n")
    with pytest.raises(DataError):
        DataDir.open(root, PROGRAM)

    with pytest.raises(DataError, match="format 99"):
        DataDir.open(root, PROGRAM)


def test_a_file_in_its_place(root: Path, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "data").touch()

    with pytest.raises(DataError, match=r"^ORDERS_DATA_DIR=.* cannot be used: Not a directory"):
        DataDir.open(root, PROGRAM)


def test_others_cannot_read_it(root: Path) -> None:
    root.mkdir(parents=True)
    root.chmod(0o777)

    data = DataDir.open(root, PROGRAM)

    # As root, PostgreSQL's account has to get through to its own folder.
    assert stat.S_IMODE(data.root.stat().st_mode) == (0o711 if os.geteuid() == 0 else 0o700)
    assert stat.S_IMODE(data.folder("valkey").stat().st_mode) == 0o700
    data.close()
