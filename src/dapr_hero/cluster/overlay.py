"""The desired state of the cluster: an overlay of k8s/overlays in one mode, with the images of one version."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from dapr_hero.cluster import kubectl
from dapr_hero.cluster.errors import ClusterError
from dapr_hero.contract.mode import Mode

_ROOT = Path("k8s")
_yaml = YAML(typ="safe")

SERVICES = ("inventory", "products")


def names() -> list[str]:
    """Return the names of the overlays. Raises: ClusterError if there are none here."""
    found = sorted(each.name for each in (_ROOT / "overlays").glob("*/"))
    if not found:
        raise ClusterError(f"there are no manifests in {_ROOT.absolute()}: start in the repository")
    return found


@dataclass(frozen=True)
class Overlay:
    """An overlay of k8s/overlays, with the mode and the images that it is built for."""

    name: str
    mode: Mode
    tag: str
    registry: str = ""
    """The prefix of the images' names; empty if the images are already on the nodes."""
    bulk_subscribe: bool = True

    def build(self) -> list[dict[str, Any]]:
        """Return all resources of the overlay. Raises: ClusterError if it does not exist or cannot be built."""
        if self.name not in (known := names()):
            raise ClusterError(f"there is no overlay {self.name!r}: choose one of {', '.join(known)}")
        # kustomize takes only relative paths to what it includes.
        with tempfile.TemporaryDirectory(dir=_ROOT, prefix=".built-") as folder:
            with (Path(folder) / "kustomization.yaml").open("w") as file:
                _yaml.dump(self._kustomization(), file)
            return [each for each in _yaml.load_all(kubectl.run("kustomize", folder)) if each]

    def _kustomization(self) -> dict[str, Any]:
        return {
            "resources": [f"../overlays/{self.name}"],
            "components": [f"../components/{each}" for each in self._components()],
            "images": [self._image(f"dapr-hero-{service}") for service in SERVICES],
        }

    def _components(self) -> list[str]:
        single = [] if self.bulk_subscribe else ["single-delivery"]
        return [f"modes/{self.mode.value}", *single]

    def _image(self, name: str) -> dict[str, str]:
        prefix = f"{self.registry.rstrip('/')}/" if self.registry else ""
        return {"name": name, "newName": f"{prefix}{name}", "newTag": self.tag}
