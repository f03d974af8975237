"""The input of kustomize: an overlay in one mode, with the images of one version."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from dapr_hero.cluster import kubectl
from dapr_hero.cluster.errors import ClusterError
from dapr_hero.cluster.overlay import Overlay
from dapr_hero.contract.mode import Mode


@pytest.fixture(autouse=True)
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("one", "two"):
        (tmp_path / "k8s" / "overlays" / name).mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The kustomization that kubectl was given."""
    seen: dict[str, Any] = {}

    def kustomize(verb: str, folder: str) -> str:
        assert verb == "kustomize"
        seen.update(yaml.safe_load(Path(folder, "kustomization.yaml").read_text()))
        return "kind: Namespace\n---\n---\nkind: Pod\n"

    monkeypatch.setattr(kubectl, "run", kustomize)
    return seen


def test_it_is_the_overlay_with_the_component_of_the_mode(asked: dict[str, Any], repository: Path) -> None:
    built = Overlay("two", Mode.CUSTOM_GRPC, tag="1.2").build()
    assert built == [{"kind": "Namespace"}, {"kind": "Pod"}]
    assert asked["resources"] == ["../overlays/two"]
    assert asked["components"] == ["../components/modes/custom-grpc"]
    assert [each.name for each in (repository / "k8s").iterdir()] == ["overlays"]


def test_single_delivery_is_a_component_of_its_own(asked: dict[str, Any]) -> None:
    Overlay("one", Mode.SDK_HTTP, "1.2", bulk_subscribe=False).build()
    assert asked["components"] == ["../components/modes/sdk-http", "../components/single-delivery"]


@pytest.mark.parametrize(
    ("registry", "prefix"), [("", ""), ("r.example/me", "r.example/me/"), ("r.example/", "r.example/")]
)
def test_the_images_are_those_of_the_registry(registry: str, prefix: str, asked: dict[str, Any]) -> None:
    Overlay("one", Mode.SDK_HTTP, "1.2", registry).build()
    names = ("dapr-hero-inventory", "dapr-hero-products")
    assert asked["images"] == [{"name": n, "newName": f"{prefix}{n}", "newTag": "1.2"} for n in names]


def test_an_unknown_overlay_is_told_with_those_there_are(asked: dict[str, Any]) -> None:
    with pytest.raises(ClusterError, match=r"^there is no overlay 'three': choose one of one, two$"):
        Overlay("three", Mode.SDK_HTTP, "1.2").build()
    assert asked == {}


def test_elsewhere_it_says_where_to_start(
    asked: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path / "k8s")
    with pytest.raises(ClusterError, match=r"^there are no manifests in .*k8s/k8s: start in the repository$"):
        Overlay("one", Mode.SDK_HTTP, "1.2").build()
