"""The items of a bulk read are the entries that exist, unless one of them could not be read."""

from typing import Any

import msgspec
import pytest
from dapr.proto import api_v1

from dapr_hero.contract.errors import Unavailable
from dapr_hero.modes.shared import state_items
from dapr_hero.sidecar.interface import StateEntry


class HttpItem(msgspec.Struct):
    """An item as the HTTP API has it, with its value as JSON text."""

    key: str
    data: msgspec.Raw = msgspec.Raw(b"null")
    etag: str = ""
    error: str = ""


@pytest.mark.parametrize(
    "item",
    [
        api_v1.BulkStateItem(key="gadget:g", data=b'{"price": 1}', etag="7"),
        HttpItem("gadget:g", msgspec.Raw(b'{"price": 1}'), "7"),
    ],
    ids=["grpc", "http"],
)
def test_an_item_is_an_entry_by_its_key(item: Any) -> None:
    found = state_items.entries("statestore", [item])
    assert found == {"gadget:g": StateEntry("gadget:g", b'{"price": 1}', "7")}
    assert type(found["gadget:g"].value) is bytes


def test_a_key_without_an_etag_does_not_exist() -> None:
    items = [HttpItem("none"), HttpItem("null", etag="3")]
    assert state_items.entries("statestore", items) == {"null": StateEntry("null", b"null", "3")}
    assert state_items.entries("statestore", []) == {}


def test_one_item_that_could_not_be_read_makes_the_store_unavailable() -> None:
    items = [HttpItem("good", etag="1"), HttpItem("bad", etag="1", error="out of memory")]
    with pytest.raises(Unavailable) as caught:
        state_items.entries("statestore", items)
    assert (caught.value.dependency, caught.value.cause) == ("statestore", "out of memory")
