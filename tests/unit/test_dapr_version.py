"""The version of Dapr is in pins.py; what cannot read it there agrees with it."""

import re
import subprocess
from pathlib import Path

import pytest

from dapr_hero.local.program import PROGRAM
from dapr_local.install.pins import VERSION
from dapr_local.install.runtime import cache_folder

ROOT = Path(__file__).parents[2]
# Records keep the version of their time, and tests make up clusters that are too old.
EXCEPT = ("docs/adr/*", "docs/comparison*", "docs/reliability*", "tests/unit/cluster/*")
FOLDERS = ("src", "tests", "k8s", "docs", "benchmarks", ".ci")
TEXTS = (".md", ".mk", ".py", ".yaml")
MENTION = re.compile(
    r"(?i)\b(?:dapr|daprd|sentry)(?: runtime)? v?(\d+(?:\.\d+)+)|dapr/dapr/blob/v(\d+(?:\.\d+)+)"
)


def mentions() -> list[tuple[str, str]]:
    """Each version of Dapr in the tree, with its file."""
    inside = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.suffix in TEXTS]
    files = [path.relative_to(ROOT) for path in (ROOT / "README.md", ROOT / "Dockerfile", *inside)]
    return [
        (str(file), found[1] or found[2])
        for file in files
        if not any(file.match(each) for each in EXCEPT)
        for found in MENTION.finditer((ROOT / file).read_text())
    ]


def test_each_mention_is_of_this_version() -> None:
    minor = VERSION.rpartition(".")[0]
    found = mentions()
    assert {
        "docs/guides/deploy.md",
        "src/dapr_local/parts/sentry.py",
        "k8s/base/products/dapr/resiliency.yaml",
    } <= {file for file, _ in found}
    assert [each for each in found if each[1] not in (VERSION, minor)] == []


def test_the_guide_names_the_version_that_the_cluster_must_have() -> None:
    assert ("docs/guides/deploy.md", VERSION) in mentions()


def test_the_charts_are_of_this_version() -> None:
    done = subprocess.run(
        ["make", "--silent", "--no-print-directory", "--eval=version: ; @echo $(DAPR_VERSION)", "version"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == VERSION


def test_the_cache_has_a_folder_for_each_version() -> None:
    assert f"dapr-{VERSION}-" in cache_folder(PROGRAM).name


@pytest.mark.parametrize(
    "text", [f"Dapr {VERSION}", f"daprd v{VERSION}", f"github.com/dapr/dapr/blob/v{VERSION}/a"]
)
def test_a_mention_is_found(text: str) -> None:
    assert [found[1] or found[2] for found in MENTION.finditer(text)] == [VERSION]
