"""The folders of downloaded and built programs: one for each version and kind of machine."""

import fcntl
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dapr_local.progress import Report


def machine() -> tuple[str, str]:
    """Return the system and the architecture as release archives name them, such as linux and amd64."""
    name = platform.machine().lower()
    return sys.platform, {"x86_64": "amd64", "aarch64": "arm64"}.get(name, name)


@contextmanager
def alone_in(folder: Path, report: Report) -> Iterator[Path]:
    """Provide a working folder inside `folder` to one process at a time."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            report.say(f"Another process is at work in {folder}; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        for left_behind in folder.glob("work-*"):
            shutil.rmtree(left_behind, ignore_errors=True)
        with tempfile.TemporaryDirectory("", "work-", folder, ignore_cleanup_errors=True) as work:
            yield Path(work)
