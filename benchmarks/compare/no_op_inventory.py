"""An inventory that does nothing: it says success to every event, to show what Dapr's own share is.

python -m benchmarks.compare.no_op_inventory, with the settings of inventory as its environment.
"""

import asyncio
from collections.abc import Sequence

from dapr_hero import modes
from dapr_hero.contract.events import STORED, CloudEvent, Outcome
from dapr_hero.contract.routing import subscriptions
from dapr_hero.service import logs
from dapr_hero.service.servers import run
from dapr_hero.settings import Settings


async def serve(settings: Settings) -> None:
    """Receive events in the mode of the settings, until cancelled."""
    logs.configure(settings.inventory_app_id, settings)

    async def succeed(_: str, batch: Sequence[CloudEvent]) -> list[Outcome]:
        return [STORED] * len(batch)

    listener = await modes.load(settings.dapr_mode).listen(settings, subscriptions(settings.topics), succeed)
    try:
        await asyncio.Event().wait()
    finally:
        await listener.stop()


if __name__ == "__main__":
    run(serve)
