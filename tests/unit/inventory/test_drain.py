import asyncio

import pytest

from dapr_hero.errors import Unavailable
from dapr_hero.inventory import drain as module
from dapr_hero.inventory.drain import Drain
from dapr_hero.settings import Settings


async def test_it_is_healthy_until_it_begins() -> None:
    drain = Drain(Settings())
    assert drain.healthy()
    await drain.check()


async def test_it_waits_until_daprd_has_heard_often_enough() -> None:
    drain = Drain(Settings(app_health_threshold=3))
    draining = asyncio.create_task(drain.begin())
    await asyncio.sleep(0)
    for _ in range(2):
        assert not drain.healthy()
    with pytest.raises(Unavailable):
        await drain.check()
    await asyncio.sleep(0)
    assert not draining.done()
    assert not drain.healthy()
    async with asyncio.timeout(1):
        await draining


async def test_without_a_daprd_that_asks_it_ends_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PROBE_SECONDS", 0.001)
    async with asyncio.timeout(1):
        await Drain(Settings()).begin()
