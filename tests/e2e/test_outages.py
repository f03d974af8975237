"""Changes in a cluster: services are scaled and rolled, secrets rotated, pods moved."""

import asyncio
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg

from dapr_hero.cluster import kubectl
from dapr_hero.testing import eventually
from tests.e2e import cluster
from tests.e2e.cluster import Api
from tests.e2e.test_events import CASES, fresh
from tests.events import event

LOAD = (Path(__file__).parent / "load.py").read_text()


def test_events_for_a_service_that_is_away_land_when_it_is_back(rest: Api) -> None:
    ids = [fresh("away") for _ in range(60)]
    cluster.scale("products", cluster.PRODUCTS, 0)
    try:
        cluster.publish(*(event("thingamajig.v1", id) for id in ids))
        widget = fresh("during")
        cluster.publish(event("widget.v1", widget))
        assert rest.stored("widgets", widget)["id"] == widget, "the others go on"
        assert rest.get(f"/v1/products/{ids[0]}").status_code == 503
        assert rest.get("/readyz").json()["dependencies"]["products"] == "unavailable"
    finally:
        cluster.scale("products", cluster.PRODUCTS, 1)
    for id in ids:
        assert rest.stored("products", id, seconds=90)["id"] == id


def test_a_rollout_under_load_loses_no_event_and_fails_no_read() -> None:
    cluster.scale("inventory", cluster.INVENTORY, 2)
    try:
        before = _pods("inventory")
        seen = _under_load(lambda: _roll("inventory"))
        assert not before & _pods("inventory"), "all pods are new"
    finally:
        cluster.scale("inventory", cluster.INVENTORY, 1)
    assert seen["errors"] == []
    assert seen["reads"] > 500
    _assert_stored(seen["newest"])


def _under_load(act: Callable[[], None]) -> dict[str, Any]:
    """Return the events that the visitor has published and read during the block; its load ends after it."""

    async def both() -> dict[str, Any]:
        prefix = fresh("rolled")
        load = asyncio.create_task(
            asyncio.to_thread(cluster.as_visitor, LOAD, "40", "100", prefix, seconds=200)
        )
        began = time.monotonic()
        await asyncio.to_thread(act)
        assert time.monotonic() - began < 40, "the load has ended before the rollout"
        seen: dict[str, Any] = await load
        return seen

    return asyncio.run(both())


def _roll(app: str) -> None:
    kubectl.run("rollout", "restart", f"--namespace={cluster.INVENTORY}", f"deployment/{app}")
    cluster.settled(app, cluster.INVENTORY)


def _pods(app: str) -> set[str]:
    return {pod["metadata"]["name"] for pod in cluster.pods_of(app, cluster.INVENTORY)}


def _assert_stored(newest: dict[str, int]) -> None:
    with cluster.api() as rest:

        def wrong() -> dict[str, Any]:
            found = {key: rest.get(f"/v1/{key}").json().get("price") for key in newest}
            return {key: price for key, price in found.items() if price != newest[key]}

        assert len(newest) == len(CASES) * 20
        eventually(lambda: not wrong(), seconds=90)


def test_a_rotated_password_is_taken_up_without_a_restart(rest: Api) -> None:
    password = secrets.token_urlsafe(24)
    before = _pods("inventory")
    asyncio.run(_rotate(password))
    kubectl.run(
        *("patch", "secret", "postgres", f"--namespace={cluster.INVENTORY}", "--patch"),
        f'{{"stringData": {{"password": "{password}"}}}}',
    )
    id = fresh("rotated")
    cluster.publish(event("widget.v1", id))
    assert rest.stored("widgets", id, seconds=90)["id"] == id
    assert _pods("inventory") == before


async def _rotate(password: str) -> None:
    """As the owner of the database would; the connections with the old password end."""
    login = cluster.secret(cluster.INFRASTRUCTURE, "postgres")
    with cluster.forwarded(cluster.INFRASTRUCTURE, "service/postgres", 5432) as port:
        connection = await asyncpg.connect(
            host="127.0.0.1", port=port, user="postgres", password=login["superuser-password"], ssl=False
        )
        await connection.execute(f"ALTER ROLE inventory PASSWORD '{password}'")
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'inventory'"
        )
        await connection.close()


def test_stored_items_survive_the_pods_of_the_stores(rest: Api) -> None:
    ids = {resource: fresh("kept") for _, resource in CASES}
    cluster.publish(*(event(type, ids[resource]) for type, resource in CASES))
    for resource, id in ids.items():
        rest.stored(resource, id)
    kubectl.run("delete", "pod", "valkey-0", "postgres-0", f"--namespace={cluster.INFRASTRUCTURE}")
    for store in ("valkey", "postgres"):
        cluster.settled(store, cluster.INFRASTRUCTURE, "statefulset")
    for resource, id in ids.items():
        assert rest.stored(resource, id, seconds=90)["id"] == id
