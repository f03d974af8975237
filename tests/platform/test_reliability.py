"""Faults, one at a time, under load: what was acknowledged is stored in the end, in its newest version."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from valkey import Valkey

from dapr_hero.contract.mode import Mode
from dapr_hero.local import assembly
from dapr_hero.local.chosen_ports import on_free_ports
from dapr_hero.sidecar import tokens
from dapr_hero.testing import RunningPlatform, eventually, start_platform
from dapr_local.install.runtime import DaprRuntime
from tests.load import TYPES, Ledger, Load, differences, streaming
from tests.platform.broker import broker
from tests.platform.database import as_superuser
from tests.platform.metrics import of_app, of_sidecar


@pytest.fixture(scope="module")
def platform(dapr_runtime: DaprRuntime, data_dir: Path) -> Iterator[RunningPlatform]:
    settings = on_free_ports(dapr_mode=Mode.SDK_HTTP, data_dir=data_dir, request_timeout_seconds=1)
    parts = assembly.ALL - assembly.TRACING
    with start_platform(settings, dapr_runtime, parts=parts, fresh=True) as running:
        yield running


@contextmanager
def load(platform: RunningPlatform, prefix: str) -> Iterator[Ledger]:
    """Load until the block ends; then all of it lands, the malformed events among the dead letters."""
    settings = platform.settings
    letters = _letters(platform)
    mixed = Load(seed=1, rate=200, prefix=prefix, bad_share=0.02)
    with streaming([settings.dapr_http_port], settings, mixed) as ledger:
        yield ledger
    assert ledger.good > 0
    assert ledger.bad
    eventually(lambda: not differences(settings, ledger.newest), seconds=60)
    eventually(lambda: _parked(platform) == 0, seconds=30)
    eventually(lambda: ledger.bad <= _letters(platform))
    assert _letters(platform) - letters == ledger.bad


def _stored(platform: RunningPlatform, *resources: str) -> float:
    return sum(
        of_app(platform, "dapr_hero_events_total", path=f"/{each}.v1", verdict="stored") for each in resources
    )


def _more_are_stored(platform: RunningPlatform, resource: str, count: int = 50) -> None:
    """So many events of one resource go through from now on."""
    enough = _stored(platform, resource) + count
    eventually(lambda: _stored(platform, resource) > enough)


def _parked(platform: RunningPlatform) -> int:
    """Packs that are still waiting, in all parking topics."""
    waiting = 0
    with broker(platform.settings) as valkey:
        for resource in TYPES:
            stream = f"inventory-parked-{resource}"
            if valkey.exists(stream):
                groups: Any = valkey.xinfo_groups(stream)
                waiting += sum(group["pending"] + (group["lag"] or 0) for group in groups)
    return waiting


def _letters(platform: RunningPlatform) -> set[str]:
    """The ids of the events that are kept as dead letters."""
    url = f"http://127.0.0.1:{platform.settings.dead_letters_port}/v1/dead-letters"
    headers = tokens.to_daprd(platform.settings)
    found = httpx.get(url, params={"limit": 1000}, headers=headers).json()["letters"]
    return {letter["event_id"] for letter in found}


def _left_alone(platform: RunningPlatform, store: str) -> bool:
    return of_app(platform, "dapr_hero_circuit_closed", store=store, operation="save") == 0


def test_products_down_its_circuit_opens_others_go_on_and_its_events_land_later(
    platform: RunningPlatform,
) -> None:
    def acted(policy: str, **labels: str) -> float:
        """Return the number of activations of this policy of the calls to products."""
        labels |= {"policy": policy, "target": f"app_{platform.settings.products_address}"}
        return of_sidecar(platform, "dapr_resiliency_activations_total", **labels)

    with load(platform, "without-products"):
        _more_are_stored(platform, "products")
        retried, opened = acted("retry"), acted("circuitbreaker", status="open")
        closed = acted("circuitbreaker", status="closed")
        platform.kill("products")
        eventually(lambda: acted("circuitbreaker", status="open") > opened)
        assert acted("retry") > retried
        assert _left_alone(platform, "products")
        for resource in ("widgets", "gadgets"):
            _more_are_stored(platform, resource)
        assert platform.get("/v1/products/any").status_code == 503
        assert _parked(platform) > 0
        assert acted("circuitbreaker", status="closed") == closed
        platform.start("products")
        _more_are_stored(platform, "products")
    assert acted("circuitbreaker", status="closed") == closed + 1
    assert not _left_alone(platform, "products")


@pytest.mark.parametrize("how", ["killed", "stalled"])
def test_postgresql_down_others_go_on_and_its_events_land_later(platform: RunningPlatform, how: str) -> None:
    with load(platform, f"postgresql-{how}"):
        _more_are_stored(platform, "widgets")
        platform.kill("postgres") if how == "killed" else platform.pause("postgres")
        eventually(lambda: _left_alone(platform, "widgets"))
        for resource in ("gadgets", "products"):
            _more_are_stored(platform, resource)
        platform.start("postgres") if how == "killed" else platform.resume("postgres")
        _more_are_stored(platform, "widgets")


OUTAGES = {
    "read-only": ("ALTER SYSTEM SET default_transaction_read_only = on", "ALTER SYSTEM RESET ALL"),
    "no grant": ("REVOKE INSERT ON widgets FROM inventory", "GRANT INSERT ON widgets TO inventory"),
    "no table": ("ALTER TABLE widgets RENAME TO gone", "ALTER TABLE gone RENAME TO widgets"),
}


@pytest.mark.parametrize("kind", OUTAGES)
def test_postgresql_that_refuses_every_save_is_one_outage(platform: RunningPlatform, kind: str) -> None:
    """Its events are parked, one line of the log reports it, and /readyz names it."""
    breaks, repairs = OUTAGES[kind]
    logged = len(platform.log("inventory").splitlines())
    with load(platform, f"postgresql-{kind.replace(' ', '-')}"):
        _more_are_stored(platform, "widgets")
        _administer(platform, breaks)
        eventually(lambda: _left_alone(platform, "widgets"))
        for resource in ("gadgets", "products"):
            _more_are_stored(platform, resource)
        ready = platform.get("/readyz")
        assert (ready.status_code, ready.json()["dependencies"]["postgresql"]) == (200, "unavailable")
        assert _parked(platform) > 0
        _administer(platform, repairs)
        _more_are_stored(platform, "widgets")
    lines = [line for line in platform.log("inventory").splitlines()[logged:] if "operation=save" in line]
    assert ["unavailable;" in line for line in lines] == [True, False]


def _administer(platform: RunningPlatform, statement: str) -> None:
    asyncio.run(_as_superuser(platform, statement))


async def _as_superuser(platform: RunningPlatform, statement: str) -> None:
    async with as_superuser(platform.settings, "inventory") as connection:
        await connection.execute(statement)
        await connection.execute("SELECT pg_reload_conf()")


def test_the_state_store_refuses_widgets_go_on_and_all_land_later(platform: RunningPlatform) -> None:
    """The broker, which is on the same server, goes on."""
    with load(platform, "without-state"), broker(platform.settings) as valkey:
        _more_are_stored(platform, "gadgets")
        # With the last of these Dapr's component would still read, and find no item where it is refused.
        _permit(valkey, "-hgetall", "-eval", "-evalsha", "-hget", "-get")
        eventually(lambda: _left_alone(platform, "gadgets") and _left_alone(platform, "products"))
        _more_are_stored(platform, "widgets")
        assert platform.get("/v1/gadgets/any").status_code == 503
        _permit(valkey, "+@all")
        for resource in TYPES:
            _more_are_stored(platform, resource)


def _permit(valkey: Valkey, *rules: str) -> None:
    execute: Any = valkey.execute_command
    execute("ACL", "SETUSER", "default", *rules)


def test_valkey_restarted(platform: RunningPlatform) -> None:
    """It is the broker too: events that are published during the outage are not acknowledged."""
    with load(platform, "valkey"):
        _more_are_stored(platform, "gadgets")
        platform.kill("valkey")
        assert platform.get("/v1/gadgets/any").status_code == 503
        platform.start("valkey")
        for resource in TYPES:
            _more_are_stored(platform, resource)


def test_products_restarted_in_good_order(platform: RunningPlatform) -> None:
    """The same of inventory: test_replicas.py."""
    with load(platform, "products-restarted"):
        _more_are_stored(platform, "products")
        platform.restart("products")
        _more_are_stored(platform, "products")
