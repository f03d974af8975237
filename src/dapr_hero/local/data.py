"""The data directory: what is kept between runs, one runner at a time."""

import fcntl
import os
import shutil
from pathlib import Path
from typing import IO, Self

import platformdirs

from dapr_hero.settings import Settings
from dapr_local.errors import DataError

_MARKER = "dapr-hero data, format "
_FORMAT = 1
_LOCK = "lock"


def location(settings: Settings) -> Path:
    """Return the data directory: DAPR_HERO_DATA_DIR, otherwise the user's state folder.

    For root that is the system's: PostgreSQL steps down to another account, which cannot enter root's home.
    """
    chosen = settings.data_dir or platformdirs.user_state_path("dapr-hero", use_site_for_root=True)
    return chosen.expanduser().resolve()


def running_pid(settings: Settings) -> str | None:
    """Return the process id of the runner that has the data directory open; None if there is none."""
    try:
        with (location(settings) / _LOCK).open() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                return lock.read().strip() or "unknown"
    except OSError:
        return None
    return None


class DataDir:
    """The open data directory; it belongs to this runner until `close`.

    `format` says whose it is and in which layout; `logs` and `run` are of one run only, all else stays.
    """

    def __init__(self, root: Path, lock: IO[str]) -> None:
        """Use `open`."""
        self.root = root
        self._lock = lock

    @classmethod
    def open(cls, settings: Settings, *, fresh: bool = False) -> Self:
        """Take the directory, and make it when it is not there; `fresh` forgets the data of earlier runs.

        Raises: DataError when it is another program's, of another format, or in use.
        """
        root = location(settings)
        try:
            _refuse_foreign(root)
            root.mkdir(parents=True, exist_ok=True, mode=0o700)
            data = cls(root, _locked(root / _LOCK))
        except OSError as error:
            raise DataError(f"DAPR_HERO_DATA_DIR={root} cannot be used: {error.strerror}") from None
        try:
            data._lay_out(fresh)
        except BaseException:
            data.close()
            raise
        return data

    def close(self) -> None:
        """Leave the directory to the next runner."""
        self._lock.close()

    def folder(self, name: str) -> Path:
        """Return a private folder in the directory; create it if necessary."""
        folder = self.root / name
        folder.mkdir(exist_ok=True, mode=0o700)
        return folder

    @property
    def run(self) -> Path:
        """The folder of files that each start writes again."""
        return self.folder("run")

    def log(self, part: str) -> Path:
        """Return the path of a part's log."""
        return self.folder("logs") / f"{part}.log"

    def _lay_out(self, fresh: bool) -> None:
        marker = self.root / "format"
        if fresh:
            self._remove([path for path in self.root.iterdir() if path not in (marker, self.root / _LOCK)])
        elif marker.exists() and marker.read_text() != _this_format():
            raise DataError(
                f"DAPR_HERO_DATA_DIR={self.root} holds {marker.read_text().strip()!r}, "
                f"this version needs format {_FORMAT}: start with --fresh "
                "to forget that data, or set DAPR_HERO_DATA_DIR to another directory"
            )
        marker.write_text(_this_format())
        # Others may enter, not look: as root, PostgreSQL's account has its own folder in here.
        self.root.chmod(0o711 if os.geteuid() == 0 else 0o700)
        self._remove([self.root / "run", self.root / "logs"])

    def _remove(self, paths: list[Path]) -> None:
        for path in paths:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)


def _this_format() -> str:
    return f"{_MARKER}{_FORMAT}\n"


def _refuse_foreign(root: Path) -> None:
    """Raise DataError for a directory of another program: nothing in it is ever changed."""
    if not root.exists():
        return
    others = [path.name for path in root.iterdir() if path.name != _LOCK]
    marker = root / "format"
    if others and not (marker.is_file() and marker.read_text(errors="replace").startswith(_MARKER)):
        raise DataError(
            f"DAPR_HERO_DATA_DIR={root} is not empty and was not created by dapr-hero: "
            "set DAPR_HERO_DATA_DIR to another directory"
        )


def _locked(path: Path) -> IO[str]:
    lock = path.open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.seek(0)
        owner = lock.read().strip() or "unknown"
        lock.close()
        raise DataError(
            f"DAPR_HERO_DATA_DIR={path.parent} is in use by another dapr-hero (pid {owner}): "
            "stop it, or set DAPR_HERO_DATA_DIR to another directory"
        ) from None
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock
