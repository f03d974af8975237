"""The checks of inventory's dependencies."""

import pytest

from dapr_hero.contract.errors import Unavailable
from dapr_hero.contract.items import Item, Version
from dapr_hero.contract.kinds import KINDS, Backend, Kind
from dapr_hero.inventory import app
from dapr_hero.inventory.circuit_breaker import StoreCircuitBreaker
from dapr_hero.local.chosen_ports import on_free_ports
from dapr_hero.service.drain import Drain
from dapr_hero.service.health import Check
from dapr_hero.settings import Settings
from tests.conformance.fake_sidecar import FakeSidecar

# A second one in PostgreSQL.
GIZMO = Kind("gizmo", "gizmo.v1", "/gizmos.v1", "gizmos", Backend.POSTGRESQL)
BACKENDS = {"widgets": "postgresql", "gizmos": "postgresql", "gadgets": "states", "products": "goods"}


class Store:
    """One without items, which can be down."""

    down = False

    async def get(self, ids: list[str]) -> dict[str, Item]:
        if self.down:
            raise Unavailable("a store")
        return {}

    async def save(self, versions: list[Version]) -> None:
        raise NotImplementedError


@pytest.fixture
def settings() -> Settings:
    return on_free_ports(
        inventory_app_id="stock", state_store_name="states", products_app_id="goods", unready_seconds=0
    )


@pytest.fixture
def stores(monkeypatch: pytest.MonkeyPatch) -> dict[str, Store]:
    monkeypatch.setattr(app, "KINDS", (*KINDS, GIZMO))
    return {kind.resource: Store() for kind in (*KINDS, GIZMO)}


@pytest.fixture
def drain(settings: Settings) -> Drain:
    return Drain(settings.inventory_app_id, settings)


Checks = tuple[dict[str, Check], dict[str, Check]]


@pytest.fixture
def checks(drain: Drain, stores: dict[str, Store], settings: Settings) -> Checks:
    guarded = {name: StoreCircuitBreaker(name, store) for name, store in stores.items()}
    return app._checks(drain, guarded, settings)


async def is_available(check: Check) -> bool:
    try:
        await check()
    except Unavailable:
        return False
    return True


def test_only_inventory_itself_and_its_sidecar_are_essential(checks: Checks) -> None:
    """Without one backend it still serves the others."""
    essential, others = checks
    assert essential.keys() == {"stock", "daprd"}
    assert others.keys() == {"postgresql", "states", "goods"}


async def test_inventory_is_available_until_it_drains(checks: Checks, drain: Drain) -> None:
    essential, _ = checks
    assert not await is_available(essential["stock"])
    async with drain:
        assert await is_available(essential["stock"])
    assert not await is_available(essential["stock"])


async def test_the_sidecar_is_asked_for_its_health(checks: Checks, fake: FakeSidecar) -> None:
    essential, _ = checks
    assert await is_available(essential["daprd"])
    fake.healthy = False
    assert not await is_available(essential["daprd"])


@pytest.mark.parametrize(("resource", "backend"), BACKENDS.items())
async def test_a_backend_is_unavailable_if_any_of_its_stores_is_and_no_other_with_it(
    resource: str, backend: str, checks: Checks, stores: dict[str, Store]
) -> None:
    _, others = checks
    assert all([await is_available(each) for each in others.values()])
    stores[resource].down = True
    assert [name for name, each in others.items() if not await is_available(each)] == [backend]
