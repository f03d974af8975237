from collections.abc import Iterator
from pathlib import Path

import pytest

from dapr_hero.contract.mode import Mode
from dapr_hero.local import assembly
from dapr_hero.local.chosen_ports import on_free_ports
from dapr_hero.testing import RunningPlatform, start_platform
from dapr_local.install.runtime import DaprRuntime
from dapr_local.parts.daprd import Daprd
from dapr_local.ports import free_ports


@pytest.fixture(scope="module")
def caller_ports() -> list[int]:
    """The ports of both apps that are not of the platform."""
    return free_ports(8)


@pytest.fixture(scope="module")
def intruder(caller_ports: list[int]) -> Daprd:
    """The sidecar of an app that products does not know, in inventory's own namespace."""
    return _caller("intruder", "dapr-hero-inventory", "intruder-daprd", caller_ports[:4])


@pytest.fixture(scope="module")
def namesake(caller_ports: list[int]) -> Daprd:
    """The sidecar of an app that is called inventory too, in another namespace."""
    return _caller("inventory", "elsewhere", "namesake-daprd", caller_ports[4:])


def _caller(app_id: str, namespace: str, part_name: str, ports: list[int]) -> Daprd:
    http, grpc, internal, metrics = ports
    return Daprd(app_id, namespace, http, grpc, internal, metrics, config="caller", part_name=part_name)


@pytest.fixture(scope="module", params=list(Mode), ids=lambda mode: mode.value)
def platform(
    request: pytest.FixtureRequest, dapr_runtime: DaprRuntime, data_dir: Path
) -> Iterator[RunningPlatform]:
    """The platform in each mode, one after the other; a module can choose its parts by the name `PARTS`."""
    # A call to a store that is down on purpose takes that long.
    settings = on_free_ports(dapr_mode=request.param, data_dir=data_dir, request_timeout_seconds=2)
    parts = getattr(request.module, "PARTS", assembly.ALL)
    with start_platform(settings, dapr_runtime, parts=parts, fresh=True) as running:
        yield running
