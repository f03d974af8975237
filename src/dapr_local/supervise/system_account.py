"""For a server that refuses to run as root: an account for it, and programs that this account can reach."""

import os
import pwd
import shutil
import stat
import subprocess
from pathlib import Path

from dapr_local.errors import LocalError
from dapr_local.supervise.process import Account


def account(name: str) -> Account | None:
    """Return the system account for a server, created if necessary; None if this user is not root.

    Raises: LocalError when it cannot be made.
    """
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        try:
            subprocess.run(["useradd", "--system", "--no-create-home", name], check=True, capture_output=True)  # noqa: S603, S607
            entry = pwd.getpwnam(name)
        except (OSError, subprocess.CalledProcessError, KeyError):
            raise LocalError(
                f"the account {name} cannot be made: run dapr-hero as an ordinary user instead"
            ) from None
    return Account(entry.pw_uid, entry.pw_gid)


def closed_to_others(path: Path) -> Path | None:
    """Return the first folder of `path` that other accounts cannot enter, or None."""
    path = path.resolve()
    for step in [*reversed(path.parents), path]:
        if not step.stat().st_mode & stat.S_IXOTH:
            return step
    return None


def reachable(program: Path, copied: list[Path], cache: Path) -> Path:
    """Return the program, or a copy of it that every account can reach.

    `copied` are the folders side by side that the program needs, one of which holds it; they are copied into
    `cache` once, when their own place is closed, as it is in the home of root.
    """
    if closed_to_others(program) is None:
        return program
    if not cache.exists():
        new = cache.with_name(f"{cache.name}.{os.getpid()}")
        for folder in copied:
            shutil.copytree(folder, new / folder.name, symlinks=True)
        for path in [new, *new.rglob("*")]:
            path.chmod(
                path.stat().st_mode
                | (0o555 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o444)
            )
        new.rename(cache)
    return cache / program.relative_to(copied[0].parent)


def own(path: Path, owner: Account | None) -> None:
    """Give the path to the account, if there is one."""
    if owner is not None:
        os.chown(path, owner.uid, owner.gid)
