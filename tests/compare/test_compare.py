"""The measurements of the comparison on the real platform, with few events."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from benchmarks.compare import reads
from benchmarks.compare.bench_platform import BenchPlatform, bench_platform
from benchmarks.compare.drains import drain, drain_into_no_op
from benchmarks.compare.lone_events import idle, lone
from benchmarks.compare.reads import read
from benchmarks.compare.stores import WrongResult
from benchmarks.compare.workloads import Workload
from dapr_hero.contract.kinds import KINDS
from dapr_hero.contract.mode import Mode
from dapr_local.install.runtime import DaprRuntime

pytestmark = pytest.mark.asyncio(loop_scope="module")
_MIXED = Workload("mixed", KINDS, 9000, "mixed")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def on(dapr_runtime: DaprRuntime) -> AsyncIterator[BenchPlatform]:
    async with bench_platform(Mode.CUSTOM_GRPC, dapr_runtime) as running:
        yield running


async def test_a_backlog_is_drained_and_each_item_checked(on: BenchPlatform) -> None:
    cost = await drain(on, _MIXED)
    assert cost.cpu["inventory"] > 0, "the meter read the service"
    assert {"inventory", "inventory-daprd", "valkey", "postgres", "products"} <= cost.cpu.keys()
    assert sum(len(items) for items in _MIXED.expected().values()) == 9000


async def test_a_missing_or_wrong_item_ends_the_comparison(on: BenchPlatform) -> None:
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


async def test_a_backlog_that_is_too_small_is_an_error(on: BenchPlatform) -> None:
    with pytest.raises(WrongResult, match="too small"):
        await drain(on, Workload("small", KINDS[:1], 1, "small"))


async def test_the_no_op_inventory_stores_nothing(on: BenchPlatform) -> None:
    workload = Workload("nothing", KINDS[:1], 9000, "nothing")
    cost = await drain_into_no_op(on, workload)
    assert cost.cpu["inventory-daprd"] > 0, "daprd delivered the events"
    with pytest.raises(WrongResult, match="9000 of 9000"):
        await on.stores.check(workload)


async def test_our_own_load_generator_reads_items(on: BenchPlatform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reads, "WRK", None)
    stored = Workload("read", KINDS[:1], 9000, "read")
    await drain(on, stored)
    found = await read(on, stored, 1)
    assert 0 < found.p50_ms <= found.p99_ms
    with pytest.raises(WrongResult, match="were not 200"):
        await read(on, stored._replace(prefix="unknown"), 1)


async def test_lone_events_are_seen_in_every_store(on: BenchPlatform) -> None:
    for kind in KINDS:
        found = await lone(on, kind, 5)
        assert len(found.latency_ms) == len(found.publish_ms) == 5
        assert found.cost.cpu["inventory"] > 0
    assert (await idle(on)).keys() == found.cost.cpu.keys()
