import asyncio

import pytest

from dapr_hero.drain import Drain
from dapr_hero.errors import Unavailable
from dapr_hero.settings import Settings


async def test_it_is_ready_until_it_begins_and_then_gives_others_time_to_notice() -> None:
    drain = Drain("products", Settings(drain_seconds=0.05))
    await drain.check()
    draining = asyncio.create_task(drain.begin())
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await drain.check()
    assert not draining.done()
    async with asyncio.timeout(1):
        await draining
