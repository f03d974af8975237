import asyncio

import pytest

from dapr_local.errors import LocalError, PartNotReady
from dapr_local.parts.part import Part, Stage
from dapr_local.supervise import start_order
from dapr_local.supervise.process import Process


async def _launch() -> Process:
    raise NotImplementedError


async def _ready() -> bool:
    raise NotImplementedError


def parts(**needs: set[str]) -> dict[str, Part]:
    return {
        name: Part(name, Stage.STORE, _launch, _ready, needs=frozenset(wanted))
        for name, wanted in needs.items()
    }


async def test_each_part_begins_after_all_that_it_needs() -> None:
    done: list[str] = []

    async def begin(part: Part) -> None:
        assert part.needs <= set(done)
        await asyncio.sleep(0)
        done.append(part.name)

    await start_order.start(
        parts(service={"sidecar", "store"}, sidecar={"store", "authority"}, store=set(), authority=set()),
        begin,
    )

    assert set(done) == {"store", "authority", "sidecar", "service"}


async def test_parts_that_do_not_need_each_other_begin_together() -> None:
    together = asyncio.Barrier(2)

    async def begin(_part: Part) -> None:
        async with asyncio.timeout(10):
            await together.wait()

    await start_order.start(parts(valkey=set(), postgres=set()), begin)


async def test_a_need_that_was_not_chosen_is_ignored() -> None:
    done: list[str] = []

    async def begin(part: Part) -> None:
        done.append(part.name)

    await start_order.start(parts(sidecar={"sentry"}), begin)

    assert done == ["sidecar"]


async def test_the_first_failure_ends_the_start_and_is_raised_as_it_is() -> None:
    began: list[str] = []
    cancelled: list[str] = []
    failure = PartNotReady("valkey", "is not ready after 1 s", "")

    async def begin(part: Part) -> None:
        began.append(part.name)
        if part.name == "valkey":
            raise failure
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(part.name)
            raise

    with pytest.raises(LocalError) as caught:
        await start_order.start(
            parts(postgres=set(), valkey=set(), sidecar={"valkey"}, service={"sidecar"}), begin
        )

    assert caught.value is failure
    assert set(began) == {"postgres", "valkey"}
    assert cancelled == ["postgres"]


async def test_a_fault_of_ours_is_not_taken_for_one_of_a_part() -> None:
    async def begin(part: Part) -> None:
        raise ZeroDivisionError if part.name == "valkey" else PartNotReady("postgres", "is not ready", "")

    with pytest.raises(ExceptionGroup) as caught:
        await start_order.start(parts(valkey=set(), postgres=set()), begin)

    assert caught.value.subgroup(ZeroDivisionError)
