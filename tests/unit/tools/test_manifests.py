"""Dapr's resources in k8s/base are those of the local runner."""

from pathlib import Path

import pytest

from tools import manifests
from tools.generated import outdated
from tools.manifests import BASE

ROOT = Path(__file__).parents[3]


def test_the_generated_files_are_up_to_date(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert outdated(manifests.generated()) == []


def test_missing_and_changed_files_are_outdated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    trimmer = BASE / "stream-trimmer" / "deployment.yaml"
    trimmer.parent.mkdir(parents=True)
    trimmer.write_text((ROOT / trimmer).read_text())
    for path, text in manifests.generated().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert outdated(manifests.generated()) == []
    changed, missing = (
        BASE / "inventory" / "dapr" / "pubsub.yaml",
        BASE / "products" / "dapr" / "statestore.yaml",
    )
    changed.write_text(changed.read_text().replace("'1000'", "'10'", 1))
    missing.unlink()
    assert outdated(manifests.generated()) == [changed, missing]


def test_every_generated_file_is_part_of_what_is_deployed() -> None:
    for path in manifests.generated():
        assert f"- {path.name}\n" in (ROOT / path.parent / "kustomization.yaml").read_text()
