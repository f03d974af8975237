from collections.abc import Iterator
from pathlib import Path

import pytest

from dapr_hero.local.daprd import Sidecar
from dapr_hero.local.ports import free_ports, on_free_ports
from dapr_hero.local.runtime import DaprRuntime
from dapr_hero.settings import Mode
from dapr_hero.testing import RunningPlatform, start_platform


@pytest.fixture(scope="module")
def intruder() -> Sidecar:
    """The sidecar of an app that products does not know, in inventory's own namespace."""
    return _caller("intruder", "dapr-hero-inventory", "intruder-daprd")


@pytest.fixture(scope="module")
def namesake() -> Sidecar:
    """The sidecar of an app that is called inventory too, in another namespace."""
    return _caller("inventory", "elsewhere", "namesake-daprd")


def _caller(app_id: str, namespace: str, part_name: str) -> Sidecar:
    http, grpc, internal, metrics = free_ports(4)
    return Sidecar(app_id, namespace, http, grpc, internal, metrics, config="caller", part_name=part_name)


@pytest.fixture(scope="module", params=list(Mode), ids=lambda mode: mode.value)
def platform(
    request: pytest.FixtureRequest, dapr_runtime: DaprRuntime, data_dir: Path
) -> Iterator[RunningPlatform]:
    """The whole platform in each mode, one after the other."""
    settings = on_free_ports(dapr_mode=request.param, data_dir=data_dir)
    with start_platform(settings, dapr_runtime, fresh=True) as running:
        yield running
