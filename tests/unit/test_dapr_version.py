"""The version of Dapr is in pins.py; what cannot read it there agrees with it."""

import re
import subprocess
from pathlib import Path

import pytest

from dapr_hero.local.pins import VERSION
from dapr_hero.local.runtime import cache_folder

ROOT = Path(__file__).parents[2]
# Records of earlier runs and decisions keep the version of their time; tests make up clusters that are too old.
EXCEPT = ("CHANGELOG.md", "docs/adr/*", "docs/comparison*", "docs/reliability*", "tests/unit/cluster/*")
PLACES = ("*.md", "Makefile", "Dockerfile", ".ci/*", "*/**/*.py", "*/**/*.yaml", "*/**/*.mk", "*/**/*.md")
MENTION = re.compile(
    r"(?i)\b(?:dapr|daprd|sentry)(?: runtime)? v?(\d+(?:\.\d+)+)|dapr/dapr/blob/v(\d+(?:\.\d+)+)"
)


def mentions() -> list[tuple[str, str]]:
    """Each version of Dapr in the tree, with its file."""
    files = {path for place in PLACES for path in ROOT.glob(place) if path.is_file()}
    own = [path for path in files if not any(part.startswith(".venv") for part in path.parts)]
    return [
        (str(path.relative_to(ROOT)), found[1] or found[2])
        for path in sorted(own)
        if not any(path.relative_to(ROOT).match(each) for each in EXCEPT)
        for found in MENTION.finditer(path.read_text())
    ]


def test_each_mention_is_of_this_version() -> None:
    minor = VERSION.rpartition(".")[0]
    found = mentions()
    assert {"docs/deploy.md", "src/dapr_hero/local/sentry.py", "k8s/base/products/dapr/resiliency.yaml"} <= {
        file for file, _ in found
    }
    assert [each for each in found if each[1] not in (VERSION, minor)] == []


def test_the_guide_names_the_version_that_the_cluster_must_have() -> None:
    assert ("docs/deploy.md", VERSION) in mentions()


def test_the_charts_are_of_this_version() -> None:
    done = subprocess.run(
        ["make", "--silent", "--eval=version: ; @echo $(DAPR_VERSION)", "version"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == VERSION


def test_the_cache_has_a_folder_for_each_version() -> None:
    assert f"dapr-{VERSION}-" in cache_folder().name


@pytest.mark.parametrize(
    "text", [f"Dapr {VERSION}", f"daprd v{VERSION}", f"github.com/dapr/dapr/blob/v{VERSION}/a"]
)
def test_a_mention_is_found(text: str) -> None:
    assert [found[1] or found[2] for found in MENTION.finditer(text)] == [VERSION]
