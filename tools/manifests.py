"""Generates Dapr's resources of k8s/base from the templates of the local runner, and the streams to trim.

python -m tools.manifests [--check]
"""

import io
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from dapr_hero.cluster.overlay import SERVICES
from dapr_hero.contract.routing import subscriptions
from dapr_hero.local.resources import rendered, values
from dapr_hero.settings import Settings
from tools.generated import write_or_check

BASE = Path("k8s/base")
_TRIMMER = BASE / "stream-trimmer" / "deployment.yaml"
# Each world has a secret store of its own kind; that of the cluster is written by hand.
_ONLY_LOCAL = "secretstore.yaml"
_INFRASTRUCTURE = "dapr-hero.svc.cluster.local"
# What the control plane has when it is installed by its chart; daprd's own Configuration may only repeat it.
_MTLS = {
    "enabled": True,
    "controlPlaneTrustDomain": "cluster.local",
    "sentryAddress": "dapr-sentry.dapr-system.svc.cluster.local:443",
}
_HEAD = """\
# Generated from src/dapr_hero/local/config/{service}/{name} by `make generate-manifests`.
"""


def generated() -> dict[Path, str]:
    """Return the text of each generated file by its path in the repository."""
    dapr = {
        BASE / service / "dapr" / name: _HEAD.format(service=service, name=name) + _adapted(text)
        for service in SERVICES
        for name, text in sorted(rendered(service, _placeholders()).items())
        if name != _ONLY_LOCAL
    }
    return {**dapr, _TRIMMER: _with_streams(_TRIMMER.read_text())}


def _placeholders() -> Mapping[str, str]:
    settings = Settings.model_construct(
        otel_exporter_otlp_endpoint=f"http://collector.{_INFRASTRUCTURE}:4318"
    )
    found = values(settings, Path(), mtls=True)
    return {**found, "VALKEY_ADDRESS": f"valkey.{_INFRASTRUCTURE}:{settings.valkey_port}"}


def _with_streams(text: str) -> str:
    """Return the trimmer's deployment with the stream of each topic as its arguments."""
    yaml = _yaml()
    deployment = yaml.load(text)
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    topics = subscriptions(Settings.model_construct().topics)
    options = [each for each in container["args"] if each.startswith("--")]
    container["args"] = [*options, *(each.topic.name for each in topics)]
    return _dumped(yaml, [deployment])


def _adapted(text: str) -> str:
    """Return the resources as the cluster needs them, comments included."""
    yaml = _yaml()
    resources = list(yaml.load_all(text))
    for resource in resources:
        _adapt(resource)
    return _dumped(yaml, resources)


def _yaml() -> YAML:
    yaml = YAML()
    yaml.width = 200
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


def _dumped(yaml: YAML, resources: Sequence[dict[str, Any]]) -> str:
    out = io.StringIO()
    yaml.dump_all(resources, out)
    return out.getvalue()


def _adapt(resource: dict[str, Any]) -> None:
    # Without a store of their own, Dapr's operator reads the components' secrets, so that no sidecar has to.
    resource.pop("auth", None)
    if resource["kind"] == "Configuration":
        resource["spec"].pop("nameResolution")  # Kubernetes' own is the default there.
        resource["spec"]["mtls"] = _MTLS


if __name__ == "__main__":
    sys.exit(write_or_check(generated(), "make generate-manifests"))
