"""The data directory: it keeps the data between runs, and belongs to one runner at a time."""

import fcntl
import os
import shutil
from pathlib import Path
from typing import IO, Self

from dapr_local.errors import DataError
from dapr_local.program import Program

_FORMAT = 1
_LOCK = "lock"


def running_pid(root: Path) -> str | None:
    """Return the process id of the runner that has the data directory open; None if there is none."""
    try:
        with (root / _LOCK).open() as lock:
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

    def __init__(self, root: Path, program: Program, lock: IO[str]) -> None:
        """Use `open`."""
        self.root = root
        self.program = program
        self._lock = lock

    @classmethod
    def open(cls, root: Path, program: Program, *, fresh: bool = False) -> Self:
        """Take the directory, and make it when it is not there; `fresh` forgets the data of earlier runs.

        Raises: DataError when it is another program's, of another format, or in use.
        """
        try:
            _refuse_foreign(root, program)
            root.mkdir(parents=True, exist_ok=True, mode=0o700)
            data = cls(root, program, _locked(root, program))
        except OSError as error:
            raise DataError(f"{_variable(program)}={root} cannot be used: {error.strerror}") from None
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

    @property
    def variable(self) -> str:
        """The environment variable that sets the directory."""
        return _variable(self.program)

    @property
    def _format(self) -> str:
        return f"{_marker(self.program)}{_FORMAT}\n"

    def _lay_out(self, fresh: bool) -> None:
        marker = self.root / "format"
        if fresh:
            self._remove([path for path in self.root.iterdir() if path not in (marker, self.root / _LOCK)])
        elif marker.exists() and marker.read_text() != self._format:
            raise DataError(
                f"{self.variable}={self.root} holds {marker.read_text().strip()!r}, "
                f"this version needs format {_FORMAT}: start with --fresh "
                f"to forget that data, or set {self.variable} to another directory"
            )
        marker.write_text(self._format)
        # Others may enter, not look: as root, PostgreSQL's account has its own folder in here.
        self.root.chmod(0o711 if os.geteuid() == 0 else 0o700)
        self._remove([self.root / "run", self.root / "logs"])

    def _remove(self, paths: list[Path]) -> None:
        for path in paths:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)


def _variable(program: Program) -> str:
    return program.variable("DATA_DIR")


def _marker(program: Program) -> str:
    return f"{program.name} data, format "


def _refuse_foreign(root: Path, program: Program) -> None:
    """Raise DataError for a directory of another program: nothing in it is ever changed."""
    if not root.exists():
        return
    others = [path.name for path in root.iterdir() if path.name != _LOCK]
    marker = root / "format"
    if others and not (marker.is_file() and marker.read_text(errors="replace").startswith(_marker(program))):
        variable = _variable(program)
        raise DataError(
            f"{variable}={root} is not empty and was not created by {program.name}: "
            f"set {variable} to another directory"
        )


def _locked(root: Path, program: Program) -> IO[str]:
    lock = (root / _LOCK).open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.seek(0)
        owner = lock.read().strip() or "unknown"
        lock.close()
        variable = _variable(program)
        raise DataError(
            f"{variable}={root} is in use by another {program.name} (pid {owner}): "
            f"stop it, or set {variable} to another directory"
        ) from None
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock
