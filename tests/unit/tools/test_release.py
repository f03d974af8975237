"""A release needs a version, its section in the changelog, and a clean main."""

import subprocess
from pathlib import Path

import pytest

from tools.release import ReleaseError, check, notes

CHANGELOG = """# Changelog

## Unreleased

## 0.2.0 - 2026-12-01

### Added

- Something.

## 0.1.0 - 2026-11-27

"""


def git(root: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=n", "-c", "user.email=e@example.org"]
    subprocess.run(["git", *identity, *arguments], cwd=root, check=True, capture_output=True)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG)
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "0.2.0"\n')
    git(tmp_path, "init", "--initial-branch=main")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--message=All")
    return tmp_path


def test_the_notes_are_the_section_of_the_version() -> None:
    assert notes(CHANGELOG, "0.2.0") == "### Added\n\n- Something.\n"


@pytest.mark.parametrize(
    ("version", "message"), [("0.1.0", "is empty"), ("0.3.0", "no section"), ("0.2.00", "no section")]
)
def test_a_version_without_notes_cannot_be_released(version: str, message: str) -> None:
    with pytest.raises(ReleaseError, match=message):
        notes(CHANGELOG, version)


def test_a_clean_main_with_notes_can_be_released(root: Path) -> None:
    check(root, "0.2.0")


@pytest.mark.parametrize(
    ("version", "message"),
    [("v0.2.0", "is not a version"), ("0.2.1", "has the version")],
)
def test_the_version_is_that_of_the_project(root: Path, version: str, message: str) -> None:
    with pytest.raises(ReleaseError, match=message):
        check(root, version)


def test_uncommitted_changes_another_branch_and_an_old_tag_are_refused(root: Path) -> None:
    (root / "new").touch()
    with pytest.raises(ReleaseError, match="uncommitted"):
        check(root, "0.2.0")
    (root / "new").unlink()
    git(root, "tag", "v0.2.0")
    with pytest.raises(ReleaseError, match=r"tag v0\.2\.0 exists"):
        check(root, "0.2.0")
    git(root, "switch", "--create", "feature")
    with pytest.raises(ReleaseError, match="from main"):
        check(root, "0.2.0")
