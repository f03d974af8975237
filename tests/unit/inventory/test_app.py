from collections.abc import Mapping
from typing import Any

import pytest

from dapr_hero.contract.errors import Unavailable
from dapr_hero.contract.kinds import KINDS, Backend, Kind
from dapr_hero.inventory import app
from dapr_hero.service.drain import Drain
from dapr_hero.settings import Settings

SETTINGS = Settings(state_store_name="states", products_app_id="goods", inventory_app_id="stock")


class Store:
    def __init__(self) -> None:
        self.down = False

    async def check(self) -> None:
        if self.down:
            raise Unavailable("it")


def checks(stores: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    return app._checks(Drain("stock", SETTINGS), stores, SETTINGS)


def test_only_the_service_itself_and_its_sidecar_are_essential() -> None:
    essential, others = checks({kind.resource: Store() for kind in KINDS})
    assert list(essential) == ["stock", "daprd"]
    assert list(others) == ["postgresql", "states", "goods"]


async def test_a_backend_is_unavailable_if_one_of_its_stores_is(monkeypatch: pytest.MonkeyPatch) -> None:
    second = Kind("gizmo", "gizmo.v1", "/gizmos.v1", "gizmos", Backend.POSTGRESQL)
    monkeypatch.setattr(app, "KINDS", (*KINDS, second))
    stores = {kind.resource: Store() for kind in (*KINDS, second)}
    _, others = checks(stores)
    for check in others.values():
        await check()

    stores["gizmos"].down = True

    with pytest.raises(Unavailable):
        await others["postgresql"]()
    await others["states"]()
