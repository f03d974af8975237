"""The folders of the cluster's volumes are not those in which the local runner keeps its data."""

import re
from pathlib import Path

import pytest

from dapr_hero.local.data import location
from dapr_hero.settings import Settings
from tests.unit.cluster.files import ROOT, resources


def folders() -> list[Path]:
    volumes = [each for each in resources("overlays/bare") if each["kind"] == "PersistentVolume"]
    assert volumes
    return [Path(each["spec"]["local"]["path"]) for each in volumes]


def removed() -> Path:
    """Return the folder that the end-to-end run creates and removes."""
    found = re.search(r"^volumes=(\S+)$", (ROOT / ".ci" / "e2e").read_text(), re.M)
    assert found
    return Path(found[1])


@pytest.mark.parametrize("root", [True, False], ids=["root", "user"])
def test_a_run_of_the_cluster_leaves_local_data_alone(root: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platformdirs.unix.geteuid", lambda: 0 if root else 1000)
    kept = location(Settings.model_construct(data_dir=None))
    for folder in (removed(), *folders()):
        assert not kept.is_relative_to(folder)
        assert not folder.is_relative_to(kept)


def test_the_end_to_end_run_removes_its_volumes() -> None:
    assert {each.parent for each in folders()} == {removed()}
