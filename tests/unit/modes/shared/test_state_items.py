from types import SimpleNamespace

import pytest

from dapr_hero.contract.errors import Unavailable
from dapr_hero.modes.shared import state_items
from dapr_hero.sidecar.interface import StateEntry


def item(key: str, *, data: bytes = b"{}", etag: str = "1", error: str = "") -> SimpleNamespace:
    return SimpleNamespace(key=key, data=data, etag=etag, error=error)


def test_a_key_without_an_etag_does_not_exist() -> None:
    assert state_items.entries("statestore", [item("a"), item("b", data=b"", etag="")]) == {
        "a": StateEntry("a", b"{}", "1")
    }


def test_one_item_that_cannot_be_read_fails_the_whole_read() -> None:
    with pytest.raises(Unavailable) as caught:
        state_items.entries("statestore", [item("a"), item("b", error="timed out")])
    assert caught.value.cause == "timed out"
