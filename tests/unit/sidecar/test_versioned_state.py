import asyncio
from collections.abc import Mapping, Sequence
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dapr_hero.contract.errors import Unavailable
from dapr_hero.contract.items import Item, Version, newest
from dapr_hero.sidecar.interface import Conflict, StateEntry
from dapr_hero.sidecar.versioned_state import VersionedState


class Store:
    """A state store with etags, in memory; every call lets other tasks in between."""

    def __init__(self) -> None:
        self.entries: dict[str, tuple[bytes, int]] = {}
        self.calls = 0

    async def get_states(self, store: str, keys: Sequence[str]) -> Mapping[str, StateEntry]:
        self.calls += 1
        await asyncio.sleep(0)
        found = {key: self.entries[key] for key in keys if key in self.entries}
        return {key: StateEntry(key, value, str(version)) for key, (value, version) in found.items()}

    async def save_states(self, store: str, states: Sequence[StateEntry]) -> None:
        self.calls += 1
        await asyncio.sleep(0)
        conflict = False
        for state in states:
            version = self.entries[state.key][1] if state.key in self.entries else 0
            if state.etag == str(version):
                self.entries[state.key] = (state.value, version + 1)
            else:
                conflict = True
        if conflict:
            raise Conflict


def version(id: str, stamp: str) -> Version:
    return Version(Item(id, f"as of {stamp}", Decimal("0.1")), stamp)


async def test_items_come_back_as_they_went_in() -> None:
    state = VersionedState(Store(), "statestore", "gadget")
    ids = ["plain", "a b", "café", "a/b", "a||b", "%7C", "x" * 256]
    await state.save([version(id, "1") for id in ids])
    found = await state.get([*ids, "missing"])
    assert found == {id: Item(id, "as of 1", Decimal("0.1")) for id in ids}


async def test_a_batch_takes_one_read_and_one_write() -> None:
    store = Store()
    await VersionedState(store, "statestore", "gadget").save([version(str(n), "1") for n in range(100)])
    assert store.calls == 2


async def test_a_superseded_version_is_not_written() -> None:
    store = Store()
    state = VersionedState(store, "statestore", "gadget")
    await state.save([version("g", "2")])
    await state.save([version("g", "1")])
    await state.save([version("g", "2")])
    assert (await state.get(["g"]))["g"].description == "as of 2"
    assert store.entries["gadget:g"][1] == 1


async def test_no_key_holds_daprs_separator() -> None:
    store = Store()
    await VersionedState(store, "statestore", "gadget").save([version("a||b", "1")])
    assert not any("||" in key for key in store.entries)


async def test_a_store_that_always_conflicts_is_unavailable() -> None:
    class Contended(Store):
        async def save_states(self, store: str, states: Sequence[StateEntry]) -> None:
            raise Conflict

    with pytest.raises(Unavailable):
        await VersionedState(Contended(), "statestore", "gadget").save([version("g", "1")])


@given(
    st.lists(
        st.lists(st.tuples(st.sampled_from("abc"), st.integers(10, 30)), min_size=1, max_size=6),
        min_size=1,
        max_size=6,
    )
)
def test_the_newest_stands_whatever_the_order_and_the_interleaving(
    batches: list[list[tuple[str, int]]],
) -> None:
    async def deliver() -> None:
        store = Store()
        replicas = [VersionedState(store, "statestore", "gadget") for _ in range(2)]
        await asyncio.gather(
            *(
                replicas[number % 2].save(newest([version(id, str(stamp)) for id, stamp in batch]))
                for number, batch in enumerate(batches)
            )
        )
        events = [each for batch in batches for each in batch]
        found = await replicas[0].get(list("abc"))
        for id in {id for id, _ in events}:
            assert found[id].description == f"as of {max(stamp for each, stamp in events if each == id)}"

    asyncio.run(deliver())
