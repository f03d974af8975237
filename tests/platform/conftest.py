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
    return Sidecar("intruder", "dapr-hero-inventory", *free_ports(4), config="caller")


@pytest.fixture(scope="module")
def namesake() -> Sidecar:
    """The sidecar of an app that is called inventory too, in another namespace."""
    return Sidecar("inventory", "elsewhere", *free_ports(4), config="caller", part_name="namesake-daprd")


@pytest.fixture(scope="module", params=list(Mode), ids=lambda mode: mode.value)
def platform(
    request: pytest.FixtureRequest, dapr_runtime: DaprRuntime, data_dir: Path, intruder: Sidecar
) -> Iterator[RunningPlatform]:
    """The whole platform in each mode, one after the other."""
    settings = on_free_ports(dapr_mode=request.param, data_dir=data_dir)
    with start_platform(settings, dapr_runtime, extra=[intruder], fresh=True) as running:
        yield running
