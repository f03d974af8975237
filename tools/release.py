"""Checks a release and prints its notes.

python -m tools.release check|notes VERSION
"""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

_VERSION = re.compile(r"\d+\.\d+\.\d+((a|b|rc)\d+)?")
_SECTION = re.compile(r"^## (?P<title>.+)$", re.MULTILINE)


class ReleaseError(Exception):
    """The release cannot be made; the message says what to do."""


def notes(changelog: str, version: str) -> str:
    """Return the section of a version. Raises: ReleaseError if there is none, or it is empty."""
    sections = list(_SECTION.finditer(changelog))
    for number, section in enumerate(sections):
        if re.fullmatch(rf"{re.escape(version)} - \d{{4}}-\d\d-\d\d", section["title"]):
            end = sections[number + 1].start() if number + 1 < len(sections) else len(changelog)
            if text := changelog[section.end() : end].strip():
                return text + "\n"
            raise ReleaseError(f"CHANGELOG.md: the section of {version} is empty: describe the release")
    raise ReleaseError(
        f"CHANGELOG.md has no section '## {version} - YYYY-MM-DD': rename 'Unreleased', and add a new one"
    )


def check(root: Path, version: str) -> None:
    """Return if this version can be released from the current commit. Raises: ReleaseError."""
    if not _VERSION.fullmatch(version):
        raise ReleaseError(f"VERSION={version} is not a version: give one such as 0.1.0")
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    if project["version"] != version:
        raise ReleaseError(f"pyproject.toml has the version {project['version']}: set it to {version}")
    notes((root / "CHANGELOG.md").read_text(), version)
    if _git(root, "status", "--porcelain"):
        raise ReleaseError("there are uncommitted changes: commit or stash them")
    if _git(root, "branch", "--show-current") != "main":
        raise ReleaseError("releases are made from main: check it out")
    if _git(root, "tag", "--list", f"v{version}"):
        raise ReleaseError(f"the tag v{version} exists: choose another version")


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(  # noqa: S603
        ["git", *arguments],  # noqa: S607
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def main(action: str, version: str) -> int:
    """Check a release or print its notes; return the exit code."""
    try:
        if action == "check":
            check(Path(), version)
        else:
            sys.stdout.write(notes(Path("CHANGELOG.md").read_text(), version))
    except ReleaseError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in ("check", "notes"):
        sys.exit("error: give check or notes, and a version")
    sys.exit(main(sys.argv[1], sys.argv[2]))
