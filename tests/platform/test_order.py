"""The newest version stands in each real store, whatever the order, the repeats and the interleaving."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dapr_hero import modes
from dapr_hero.contract.items import Item, Store, Version, newest
from dapr_hero.inventory.database import Database
from dapr_hero.inventory.stores import opened
from dapr_hero.local import assembly
from dapr_hero.settings import Settings
from dapr_hero.testing import RunningPlatform

PARTS = assembly.ALL - assembly.TRACING  # traces are tested elsewhere
# A batch is a list of versions: which item, and how new.
batches_of_versions = st.lists(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(10, 30)), min_size=1, max_size=8),
    min_size=2,
    max_size=6,
)


@pytest.mark.parametrize("resource", ["widgets", "gadgets", "products"])
@given(batches=batches_of_versions)
# The stores are the same for all examples; the items are not.
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_two_replicas_agree_on_the_newest(
    platform: RunningPlatform, resource: str, batches: list[list[tuple[str, int]]]
) -> None:
    run = uuid.uuid4().hex
    wholes = [[_version(f"{run}-{id}", stamp) for id, stamp in batch] for batch in batches]
    expected = {version.item.id: version.item for version in newest([v for whole in wholes for v in whole])}

    async def deliver() -> dict[str, Item]:
        async with _store(platform.settings, resource) as one, _store(platform.settings, resource) as other:
            replicas = [one, other]
            # Each batch comes twice, once to each replica.
            deliveries = [(replica, newest(whole)) for whole in wholes for replica in replicas]
            await asyncio.gather(*(replica.save(versions) for replica, versions in deliveries))
            return await one.get(list(expected))

    assert asyncio.run(deliver()) == expected


def _version(id: str, stamp: int) -> Version:
    return Version(Item(id, f"as of {stamp}", Decimal(stamp) / 10), str(stamp))


@asynccontextmanager
async def _store(chosen: Settings, resource: str) -> AsyncIterator[Store]:
    """A store as a replica of inventory has it, through its sidecar in the platform's mode."""
    sidecar = await modes.load(chosen.dapr_mode).connect(chosen)
    database = Database(sidecar, chosen)
    try:
        async with opened(sidecar, database, chosen) as stores:
            yield stores[resource]
    finally:
        await database.close()
        await sidecar.close()
