import asyncio
from collections.abc import AsyncIterator

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from dapr_hero.contract.errors import Refused, Unavailable
from dapr_hero.contract.items import PROBE, Item, Version
from dapr_hero.inventory import circuit_breaker
from dapr_hero.inventory.circuit_breaker import StoreCircuitBreaker

LONG = 60.0
DOWN = Unavailable("postgresql", "read-only")


class Store:
    """Fails on demand; notes its calls."""

    def __init__(self) -> None:
        self.read_error: Exception | None = None
        self.save_error: Exception | None = None
        self.reads: list[list[str]] = []
        self.saves = 0
        self.probed = asyncio.Event()
        self.hangs: asyncio.Event | None = None
        self.answers_probes = False

    async def get(self, ids: list[str]) -> dict[str, Item]:
        self.reads.append(ids)
        if self.hangs and not self.answers_probes:
            await self.hangs.wait()
        if ids == PROBE:
            self.probed.set()
        if self.read_error:
            raise self.read_error
        return {}

    async def save(self, versions: list[Version]) -> None:
        self.saves += 1
        if self.hangs:
            await self.hangs.wait()
        if self.save_error:
            raise self.save_error


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(circuit_breaker, "_FIRST_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(circuit_breaker, "_LONGEST_PAUSE_SECONDS", 0.004)


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
async def breaker(store: Store) -> AsyncIterator[StoreCircuitBreaker]:
    breaker = StoreCircuitBreaker("widgets", store)
    yield breaker
    await breaker.close()


def closed(operation: str) -> float | None:
    labels = {"store": "widgets", "operation": operation}
    return REGISTRY.get_sample_value("dapr_hero_circuit_closed", labels)


async def until_saved(breaker: StoreCircuitBreaker) -> None:
    async with asyncio.timeout(10):
        while True:
            try:
                return await breaker.save([], LONG)
            except Unavailable:
                await asyncio.sleep(0.001)


async def test_reads_fail_at_once_while_a_probe_asks_a_store_that_is_down(
    breaker: StoreCircuitBreaker, store: Store
) -> None:
    store.read_error = DOWN
    for _ in range(10):
        with pytest.raises(Unavailable):
            await breaker.get(["a"])
    assert store.reads == [["a"]]
    assert closed("read") == 0
    async with asyncio.timeout(10):
        await store.probed.wait()
        store.read_error = None
        while closed("read") == 0:
            await asyncio.sleep(0.001)
    await breaker.get(["a"])


async def test_a_store_that_takes_reads_and_no_saves_is_one_outage(
    breaker: StoreCircuitBreaker, store: Store
) -> None:
    """PostgreSQL is read-only during a failover: probes succeed, and saves still fail."""
    store.save_error = DOWN
    with capture_logs() as logged:
        async with asyncio.timeout(10):
            while store.saves < 5:
                with pytest.raises(Unavailable):
                    await breaker.save([], LONG)
                await asyncio.sleep(0.001)
        await breaker.get(["a"])
        with pytest.raises(Unavailable):
            await breaker.check()
        store.save_error = None
        await until_saved(breaker)
    await breaker.check()
    assert [(each["log_level"], each.get("cause")) for each in logged] == [
        ("warning", "read-only"),
        ("info", None),
    ]


async def test_one_save_tries_a_store_that_has_recovered(breaker: StoreCircuitBreaker, store: Store) -> None:
    store.save_error = DOWN
    with pytest.raises(Unavailable):
        await breaker.save([], LONG)
    async with asyncio.timeout(10):
        while breaker._saves._state is not circuit_breaker._State.HALF_OPEN:
            await asyncio.sleep(0.001)
    store.save_error, store.hangs = None, asyncio.Event()
    trial = asyncio.create_task(breaker.save([], LONG))
    async with asyncio.timeout(10):
        while store.saves < 2:
            await asyncio.sleep(0.001)
    for _ in range(5):
        with pytest.raises(Unavailable):
            await breaker.save([], LONG)
    assert store.saves == 2
    store.hangs.set()
    await trial
    assert closed("save") == 1


async def test_a_save_with_a_timeout_continues_and_no_other_starts(
    breaker: StoreCircuitBreaker, store: Store
) -> None:
    store.hangs = asyncio.Event()
    for patience_seconds in (0.01, 0.01, LONG):
        with pytest.raises(Unavailable):
            await breaker.save([], patience_seconds)
    assert store.saves == 1
    store.hangs.set()
    await until_saved(breaker)
    assert store.saves == 2


async def test_a_slow_save_is_awaited_while_its_store_answers(
    breaker: StoreCircuitBreaker, store: Store
) -> None:
    store.hangs, store.answers_probes = asyncio.Event(), True
    saving = asyncio.create_task(breaker.save([], 0.02))
    async with asyncio.timeout(10):
        while len(store.reads) < 3:
            await asyncio.sleep(0.001)
    assert not saving.done()
    store.hangs.set()
    await saving
    assert store.saves == 1


async def test_a_slow_save_whose_store_stops_answering_is_given_up(
    breaker: StoreCircuitBreaker, store: Store
) -> None:
    store.hangs, store.answers_probes = asyncio.Event(), True
    saving = asyncio.create_task(breaker.save([], 0.02))
    async with asyncio.timeout(10):
        while not store.reads:
            await asyncio.sleep(0.001)
        store.read_error = DOWN
        with pytest.raises(Unavailable, match="unavailable"):
            await saving
    store.hangs.set()


async def test_a_save_whose_caller_is_cancelled_is_still_accounted_for(
    breaker: StoreCircuitBreaker, store: Store
) -> None:
    store.hangs = asyncio.Event()
    saving = asyncio.create_task(breaker.save([], LONG))
    async with asyncio.timeout(10):
        while not store.saves:
            await asyncio.sleep(0.001)
    saving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await saving
    with pytest.raises(Unavailable):
        await breaker.save([], LONG)
    assert store.saves == 1
    async with asyncio.timeout(10):
        await breaker.close()
    assert not breaker._unfinished


async def test_a_save_that_fails_in_the_background_opens_the_circuit(
    breaker: StoreCircuitBreaker, store: Store
) -> None:
    store.hangs, store.save_error, store.read_error = asyncio.Event(), DOWN, DOWN
    with pytest.raises(Unavailable):
        await breaker.save([], 0.01)
    assert closed("save") == 1
    store.hangs.set()
    async with asyncio.timeout(10):
        await store.probed.wait()
    assert closed("save") == 0


@pytest.mark.parametrize("error", [Refused("postgresql", "too large"), ValueError("a bug")])
async def test_an_error_of_one_item_leaves_the_circuit_closed(
    breaker: StoreCircuitBreaker, store: Store, error: Exception
) -> None:
    store.save_error = error
    for _ in range(3):
        with pytest.raises(type(error)):
            await breaker.save([], LONG)
    assert store.saves == 3
    await breaker.check()


async def test_closing_during_an_outage_reports_no_recovery(store: Store) -> None:
    breaker = StoreCircuitBreaker("widgets", store)
    store.read_error = store.save_error = DOWN
    with pytest.raises(Unavailable):
        await breaker.save([], LONG)
    with pytest.raises(Unavailable):
        await breaker.get(["a"])
    with capture_logs() as logged:
        async with asyncio.timeout(10):
            await breaker.close()
    assert logged == []
    assert (closed("save"), closed("read")) == (0, 0)


async def test_a_bug_in_the_probe_does_not_leave_the_circuit_open(
    breaker: StoreCircuitBreaker, store: Store
) -> None:
    store.read_error = DOWN
    with pytest.raises(Unavailable):
        await breaker.get(["a"])
    store.read_error = ValueError("a bug")
    with capture_logs():
        async with asyncio.timeout(10):
            while closed("read") == 0:
                await asyncio.sleep(0.001)


def test_pauses_grow_to_a_bound_and_differ() -> None:
    pauses = [pause for pause, _ in zip(circuit_breaker._pauses(), range(50), strict=False)]
    assert max(pauses[:1]) <= 0.001
    assert all(0.002 <= pause <= 0.004 for pause in pauses[10:])
    assert len(set(pauses)) == 50
