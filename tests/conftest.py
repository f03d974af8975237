import os
from collections.abc import AsyncIterator

import pytest

from dapr_hero.loopback import bypass_proxies
from dapr_hero.settings import Settings
from dapr_local import ports
from tests.conformance.fake_sidecar import FakeSidecar

pytest_plugins = ["dapr_hero.testing"]

bypass_proxies()  # the tests call what they start as well

# Workers that run at the same time choose their free ports from disjoint sets.
_WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
ports.FREE_RANGE = ports.FREE_RANGE[_WORKER::_WORKERS]


@pytest.fixture
async def fake(settings: Settings) -> AsyncIterator[FakeSidecar]:
    """A sidecar for the settings of the module that asks for it."""
    fake = FakeSidecar()
    await fake.start(settings)
    yield fake
    await fake.stop()
