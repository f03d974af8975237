"""What the comparison is made of, on the real platform, in small."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from dapr_hero.compare import reads
from dapr_hero.compare.drains import drain, drain_into_nothing
from dapr_hero.compare.latencies import latencies
from dapr_hero.compare.reads import read
from dapr_hero.compare.rig import Rig, rig
from dapr_hero.compare.stores import WrongResult
from dapr_hero.compare.workloads import KINDS, Workload
from dapr_hero.contract.mode import Mode
from dapr_hero.local.runtime import DaprRuntime

pytestmark = pytest.mark.asyncio(loop_scope="module")
_MIXED = Workload("mixed", KINDS, 9000, "mixed")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def on(dapr_runtime: DaprRuntime) -> AsyncIterator[Rig]:
    async with rig(Mode.CUSTOM_GRPC, dapr_runtime) as running:
        yield running


async def test_a_backlog_is_drained_and_each_item_checked(on: Rig) -> None:
    cost = await drain(on, _MIXED)
    assert cost.rate > 0
    assert {"inventory", "inventory-daprd", "valkey", "postgres", "products"} <= cost.cpu.keys()
    assert sum(len(items) for items in _MIXED.expected().values()) == 9000


async def test_what_is_missing_or_wrong_ends_the_comparison(on: Rig) -> None:
    workload = Workload("spoilt", KINDS, 9000, "spoilt")
    await drain(on, workload)
    await on.stores.postgres.execute("UPDATE widgets SET price = 0 WHERE id = 'spoilt-3'")
    with pytest.raises(WrongResult, match=r"spoilt: 1 of 3000 widgets .* spoilt-3"):
        await on.stores.check(workload)
    await on.stores.postgres.execute("UPDATE widgets SET price = 3.25 WHERE id = 'spoilt-3'")
    await on.stores.check(workload)
    [key] = await on.stores.valkey.keys("*spoilt-4")
    await on.stores.valkey.delete(key)
    with pytest.raises(WrongResult, match=r"1 of 3000 gadgets .* spoilt-4"):
        await on.stores.check(workload)


async def test_a_backlog_that_is_too_small_is_said(on: Rig) -> None:
    with pytest.raises(WrongResult, match="too small"):
        await drain(on, Workload("small", KINDS[:1], 1, "small"))


async def test_nothing_is_stored_by_what_does_nothing(on: Rig) -> None:
    workload = Workload("nothing", KINDS[:1], 9000, "nothing")
    cost = await drain_into_nothing(on, workload)
    assert cost.cpu["inventory-daprd"] >= 0
    with pytest.raises(WrongResult, match="9000 of 9000"):
        await on.stores.check(workload)


async def test_reads_by_our_own_driver(on: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reads, "WRK", None)
    stored = Workload("read", KINDS[:1], 9000, "read")
    await drain(on, stored)
    found = await read(on, stored, 1)
    assert 0 < found.p50_ms <= found.p99_ms
    with pytest.raises(WrongResult, match="were not 200"):
        await read(on, stored._replace(prefix="unknown"), 1)


async def test_lone_events_are_seen_in_every_store(on: Rig) -> None:
    for kind in KINDS:
        assert all(ms > 0 for ms in await latencies(on, kind, 5))
