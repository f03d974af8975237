from collections.abc import AsyncIterator

import pytest

from dapr_hero.loopback import bypass_proxies
from dapr_hero.settings import Settings
from tests.conformance.fake_sidecar import FakeSidecar

pytest_plugins = ["dapr_hero.testing"]

bypass_proxies()  # the tests call what they start as well


@pytest.fixture
async def fake(settings: Settings) -> AsyncIterator[FakeSidecar]:
    """A sidecar for the settings of the module that asks for it."""
    fake = FakeSidecar()
    await fake.start(settings)
    yield fake
    await fake.stop()
