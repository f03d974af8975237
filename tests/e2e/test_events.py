"""Events in, items out, dead letters, traces: what the platform is for, through the whole of the cluster."""

import secrets
from typing import Any

import pytest

from dapr_hero.contract.kinds import KINDS
from dapr_hero.testing import eventually
from tests.e2e import cluster
from tests.e2e.cluster import Api
from tests.events import event

CASES = [(kind.type, kind.resource) for kind in KINDS]
every_kind = pytest.mark.parametrize(("type", "resource"), CASES)


def fresh(name: str) -> str:
    """An id that no earlier run has left in the stores."""
    return f"{name}-{secrets.token_hex(4)}"


@every_kind
def test_an_event_is_stored_and_read_back(rest: Api, type: str, resource: str) -> None:
    id = fresh("é/ 1")
    cluster.publish(event(type, id, price=0.1))
    assert rest.stored(resource, id) == {"id": id, "description": f"about {id}", "price": 0.1}


@every_kind
def test_a_missing_item_is_not_found(rest: Api, type: str, resource: str) -> None:
    answer = rest.get(f"/v1/{resource}/none")
    assert (answer.status_code, answer.json()["type"]) == (404, "NOT_FOUND")


def test_a_malformed_event_is_a_dead_letter_that_can_be_replayed_and_discarded(rest: Api) -> None:
    bad = event("widget.v1", fresh("bad"), price=-1)
    cluster.publish(bad)
    with cluster.dead_letters() as private:

        def letter() -> dict[str, Any]:
            listed = private.get("/v1/dead-letters?limit=1000").json()["letters"]
            return next((each for each in listed if each["event_id"] == bad["id"]), {})

        kept = eventually(letter, seconds=60)
        assert "price" in kept["reason"]
        assert (
            private.post(f"/v1/dead-letters/{kept['key']}/replay").json()["attempts"] == kept["attempts"] + 1
        )
        back = eventually(
            lambda: (found := letter()) and found["last_at"] > kept["last_at"] and found, seconds=60
        )
        assert back["key"] == kept["key"]
        assert private.delete(f"/v1/dead-letters/{kept['key']}").status_code == 204
        assert not letter()


def test_an_event_makes_one_trace_across_the_namespaces(rest: Api) -> None:
    trace_id, root = secrets.token_hex(16), secrets.token_hex(8)
    id = fresh("traced")
    cluster.publish(event("thingamajig.v1", id), traceparent=f"00-{trace_id}-{root}-01")
    rest.stored("products", id)
    with cluster.api(9411, cluster.INFRASTRUCTURE, "service/zipkin") as zipkin:

        def whole_trace() -> list[dict[str, Any]]:
            """All spans, once both app ids have told theirs and none has a parent that is not there."""
            answer = zipkin.get(f"/api/v2/trace/{trace_id}")
            spans: list[dict[str, Any]] = answer.json() if answer.status_code == 200 else []
            known = {span["id"] for span in spans} | {root}
            connected = all(span.get("parentId") in known for span in spans)
            return spans if connected and _services(spans) == {"inventory", "products"} else []

        assert eventually(whole_trace, seconds=60)


def _services(spans: list[dict[str, Any]]) -> set[str]:
    return {span["localEndpoint"]["serviceName"] for span in spans}


def test_ready_names_every_dependency(rest: Api) -> None:
    names = ("inventory", "daprd", "postgresql", "statestore", "products")
    assert rest.get("/readyz").json() == {"ready": True, "dependencies": dict.fromkeys(names, "ok")}
