import asyncio
from contextlib import AsyncExitStack

import pytest

from dapr_hero.contract.errors import Unavailable
from dapr_hero.service.drain import Drain
from dapr_hero.settings import Settings


async def test_a_service_is_ready_from_entry_until_exit_which_takes_its_time() -> None:
    drain = Drain("products", Settings(unready_seconds=0.05))
    with pytest.raises(Unavailable):
        await drain.check()
    stack = AsyncExitStack()
    await stack.enter_async_context(drain)
    await drain.check()
    draining = asyncio.create_task(stack.aclose())
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await drain.check()
    assert not draining.done()
    async with asyncio.timeout(10):
        await draining
