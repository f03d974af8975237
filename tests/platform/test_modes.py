"""Every mode on the real platform."""

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import grpc
import httpx2 as httpx
import msgspec
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from dapr_hero.contract import events
from dapr_hero.contract.items import MAX_DESCRIPTION, encode
from dapr_hero.contract.kinds import KINDS, kind_of
from dapr_hero.contract.routing import DEAD_LETTERS_PATH
from dapr_hero.sidecar import tokens
from dapr_hero.testing import RunningPlatform, eventually
from tests.events import event
from tests.platform.broker import broker, queue
from tests.platform.database import dead_letters, originals, run_sql
from tests.platform.metrics import of_app

CASES = [(kind.type, kind.resource) for kind in KINDS]
# Of the policy `deliver` in resiliency.yaml.
MAX_RETRIES = 3
every_kind = pytest.mark.parametrize(("type", "resource"), CASES)


def stored(platform: RunningPlatform, resource: str, id: str) -> dict[str, Any]:
    """The item, once it is there; prices as decimals."""
    path = f"/v1/{resource}/{quote(id, safe='')}"
    eventually(lambda: platform.get(path).status_code == 200)
    item: dict[str, Any] = json.loads(platform.get(path).text, parse_float=Decimal, parse_int=Decimal)
    return item


@every_kind
@pytest.mark.parametrize("id", ["plain", "a 'b';--", "café", "a/b", "a||b", "100%", "x" * 256])
def test_an_event_is_routed_stored_and_read_back(
    platform: RunningPlatform, type: str, resource: str, id: str
) -> None:
    platform.publish(event(type, id, price=0.1))
    assert stored(platform, resource, id) == {"id": id, "description": f"about {id}", "price": Decimal("0.1")}


@every_kind
@pytest.mark.parametrize("price", ["0", "0.1", "19.99", "123456789012345", "0.000000000000001", "1e3"])
def test_a_price_comes_back_exactly(platform: RunningPlatform, type: str, resource: str, price: str) -> None:
    platform.publish(event(type, f"price {price}", price=msgspec.Raw(price.encode())))
    assert stored(platform, resource, f"price {price}")["price"] == Decimal(price)


def test_a_burst_of_all_types_lands_whole(platform: RunningPlatform) -> None:
    for number in range(100):
        for type, _ in CASES:
            platform.publish(event(type, f"burst-{number}", price=number))
    for number in range(100):
        for _, resource in CASES:
            assert stored(platform, resource, f"burst-{number}")["price"] == number


@every_kind
def test_full_batches_are_stored(platform: RunningPlatform, type: str, resource: str) -> None:
    """Each event is as long as one may be, and has a trace context, which daprd hands over too.

    A machine that is busy may park some of them first.
    """
    s = platform.settings
    kind = kind_of(type)

    def stored() -> float:
        return sum(_handled(platform, path, "stored") for path in (kind.path, kind.parked_path))

    before, letters = stored(), _handled(platform, DEAD_LETTERS_PATH, "stored")
    longest = {"description": "\N{GRINNING FACE}" * MAX_DESCRIPTION, "price": 1}
    entries = [
        {
            "entryId": str(number),
            "event": event(type, data={"id": f"full-{number}", **longest}),
            "contentType": "application/cloudevents+json",
        }
        for number in range(1000)
    ]
    url = f"http://127.0.0.1:{s.dapr_http_port}/v1.0-alpha1/publish/bulk/{s.pubsub_name}/{s.pubsub_topic}"
    httpx.post(url, json=entries, headers=tokens.to_daprd(s), timeout=30).raise_for_status()
    eventually(lambda: stored() >= before + 1000, seconds=90)
    assert _handled(platform, DEAD_LETTERS_PATH, "stored") == letters


def _handled(platform: RunningPlatform, path: str, verdict: str) -> float:
    return of_app(platform, "dapr_hero_events_total", path=path, verdict=verdict)


@every_kind
def test_the_newest_of_many_updates_stands(platform: RunningPlatform, type: str, resource: str) -> None:
    start = datetime.now(UTC)
    for number in [*range(0, 200, 2), 199, *range(1, 199, 2)]:
        at = (start + timedelta(microseconds=number)).isoformat()
        platform.publish(event(type, "updated", price=number, time=at))
    last = event(type, "after the updates")
    platform.publish(last)
    stored(platform, resource, "after the updates")
    eventually(lambda: stored(platform, resource, "updated")["price"] == 199)


MALFORMED: dict[str, dict[str, Any]] = {
    "data is a text": {"data": "not an object"},
    "data is a list": {"data": [1]},
    "no data": {"data": None},
    "no item id": {"data": {"description": "d", "price": 1}},
    "empty item id": {"data": {"id": "", "description": "d", "price": 1}},
    "long item id": {"data": {"id": "x" * 257, "description": "d", "price": 1}},
    "long description": {"data": {"id": "m", "description": "d" * 4001, "price": 1}},
    "negative price": {"data": {"id": "m", "description": "d", "price": -1}},
    "price is a text": {"data": {"id": "m", "description": "d", "price": "1"}},
    "price is null": {"data": {"id": "m", "description": "d", "price": None}},
    "price is huge": {"data": {"id": "m", "description": "d", "price": 1e300}},
    "empty object": {"data": {}},
    "wrong content type": {"datacontenttype": "text/plain", "data": "text"},
    "time is none": {"time": "yesterday"},
}


@every_kind
def test_malformed_events_are_kept_as_dead_letters_and_hold_no_others_back(
    platform: RunningPlatform, type: str, resource: str
) -> None:
    ids = {f"{resource} {name}" for name in MALFORMED}
    for name, changes in MALFORMED.items():
        platform.publish(event(type, "m", **changes) | {"id": f"{resource} {name}"})
    platform.publish(event(type, "good after bad"))
    stored(platform, resource, "good after bad")
    eventually(lambda: ids <= {letter.get("id") for letter in dead_letters(platform.settings)})
    assert platform.get(f"/v1/{resource}/m").status_code == 404


def test_good_and_bad_events_of_all_types_in_one_batch_are_not_taken_for_each_other(
    platform: RunningPlatform,
) -> None:
    """daprd 1.18 cannot tell entries of such a batch apart when one of them is answered with DROP."""
    bad = []
    for number in range(40):
        for type, resource in CASES:
            platform.publish(event(type, f"mixed-{number}"))
            bad.append(f"{resource} mixed {number}")
            platform.publish(event(type, "mixed", price=-1) | {"id": bad[-1]})
    for number in range(40):
        for _, resource in CASES:
            stored(platform, resource, f"mixed-{number}")
    letters = eventually(lambda: _letters(platform, set(bad)))
    assert sorted(letters) == sorted(bad)


def _letters(platform: RunningPlatform, ids: set[str]) -> list[str]:
    """The ids of all dead letters that have one of these, once each is there."""
    found = [letter["id"] for letter in dead_letters(platform.settings) if letter.get("id") in ids]
    return found if set(found) == ids else []


def test_an_event_that_lacks_every_attribute_is_kept_as_a_dead_letter(platform: RunningPlatform) -> None:
    """Over gRPC daprd leaves out its data, so that only daprd can move it there, after its retries."""
    bare = {"type": "widget.v1", "data": {"id": "bare", "description": "", "price": 1}}
    platform.publish(bare)
    data = bare["data"]
    eventually(lambda: data in [letter.get("data") for letter in dead_letters(platform.settings)], seconds=60)
    assert platform.get("/v1/widgets/bare").status_code == 404


@every_kind
def test_parked_events_come_back_and_foreign_ones_are_kept_as_dead_letters(
    platform: RunningPlatform, type: str, resource: str
) -> None:
    """Were the topic not raw, daprd would withhold this one's data over gRPC, and it would come for ever."""
    topic = platform.settings.topics.parked(resource).name
    pack = events.pack([events.decode(encode(event(type, "parked")))], "tests", "down")
    strange = {"type": type, "data": f"not of {resource}"}
    with broker(platform.settings) as valkey:
        for each in (encode(strange), pack):
            valkey.xadd(topic, {"data": each})
    stored(platform, resource, "parked")
    data = strange["data"]
    eventually(lambda: data in [letter.get("data") for letter in dead_letters(platform.settings)])


def test_data_that_is_not_a_cloud_event_is_kept_as_a_dead_letter(platform: RunningPlatform) -> None:
    queue(platform.settings, "inventory", [b"not json"])
    eventually(lambda: b"not json" in originals(platform.settings))


@every_kind
def test_an_event_makes_one_connected_trace(platform: RunningPlatform, type: str, resource: str) -> None:
    trace_id, root = secrets.token_hex(16), secrets.token_hex(8)
    platform.publish(event(type, f"traced {resource}"), traceparent=f"00-{trace_id}-{root}-01")
    last = {"widgets": "upsert widgets", "gadgets": "state", "products": "savestate"}[resource]

    def whole_trace() -> list[dict[str, Any]]:
        """All spans, once the last call's is there and none has a parent that is not."""
        spans = platform.trace(trace_id)
        known = {span["id"] for span in spans} | {root}
        told = any(last in span["name"] for span in spans)
        return spans if told and all(span.get("parentId") in known for span in spans) else []

    services = {span["localEndpoint"]["serviceName"] for span in eventually(whole_trace)}
    assert services == ({"inventory", "products"} if resource == "products" else {"inventory"})


def test_an_event_that_was_parked_continues_its_trace(platform: RunningPlatform) -> None:
    trace_id, root = secrets.token_hex(16), secrets.token_hex(8)

    def names() -> set[str]:
        spans = platform.trace(trace_id)
        known = {span["id"] for span in spans} | {root}
        return {span["name"] for span in spans if span.get("parentId") in known}

    platform.stop("postgres")
    try:
        platform.publish(event("widget.v1", "traced and parked"), traceparent=f"00-{trace_id}-{root}-01")
        eventually(lambda: "process /widgets.v1" in names())
    finally:
        platform.start("postgres")
    stored(platform, "widgets", "traced and parked")
    eventually(lambda: {"process /parked/widgets", "upsert widgets"} <= names())


@every_kind
def test_not_found_is_an_answer_that_takes_nothing_down(
    platform: RunningPlatform, type: str, resource: str
) -> None:
    platform.publish(event(type, "known"))
    stored(platform, resource, "known")
    for number in range(20):
        answer = platform.get(f"/v1/{resource}/unknown-{number}")
        assert (answer.status_code, answer.json()["type"]) == (404, "NOT_FOUND")
    assert platform.get(f"/v1/{resource}/known").status_code == 200


def test_products_tells_its_health_and_what_it_offers(platform: RunningPlatform) -> None:
    with grpc.insecure_channel(f"127.0.0.1:{platform.settings.products_port}") as channel:
        health: Any = health_pb2_grpc.HealthStub(channel)
        reflection: Any = reflection_pb2_grpc
        for service in ("", "products.v1.Products"):
            answer = health.Check(health_pb2.HealthCheckRequest(service=service))
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
        asked = iter([reflection_pb2.ServerReflectionRequest(list_services="")])
        token = ((tokens.HEADER, platform.settings.app_api_token),)
        [listed] = reflection.ServerReflectionStub(channel).ServerReflectionInfo(asked, metadata=token)
        assert "products.v1.Products" in {each.name for each in listed.list_services_response.service}


@contextmanager
def _unlucky(platform: RunningPlatform, id: str) -> Iterator[None]:
    """The widgets' table refuses one item that is good, as after a migration gone wrong."""
    run_sql(platform.settings, f"ALTER TABLE widgets ADD CONSTRAINT luck CHECK (id <> '{id}')")
    yield
    run_sql(platform.settings, "ALTER TABLE widgets DROP CONSTRAINT luck")


def test_an_item_that_its_store_refuses_is_kept_with_its_trace_and_its_replay_lands(
    platform: RunningPlatform,
) -> None:
    """The others of its batch are stored, and do not come again."""
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    others = [event(id=f"neighbour-{number}") for number in range(20)]
    lost = event(id="workshop", traceparent=trace)
    verdicts = ("stored", "reject", "retry")
    before = [_handled(platform, "/widgets.v1", verdict) for verdict in verdicts]
    with _unlucky(platform, "workshop"):
        _queue(platform, [*others[:10], lost, *others[10:]])
        letter = eventually(lambda: _letter(platform, lost["id"]))
    after = [_handled(platform, "/widgets.v1", verdict) for verdict in verdicts]
    assert after == [before[0] + len(others), before[1] + 1, before[2]]
    assert letter["reason"] == "postgresql refused the item: CheckViolationError"
    assert letter["traceparent"].split("-")[1] == trace.split("-")[1]
    replay = f"{_letters_url(platform)}/{letter['key']}/replay"
    assert httpx.post(replay, headers=tokens.to_daprd(platform.settings)).status_code == 200
    eventually(lambda: platform.get("/v1/widgets/workshop").status_code == 200)


def _queue(platform: RunningPlatform, batch: list[dict[str, Any]]) -> None:
    queue(platform.settings, "inventory", [encode(each) for each in batch])


def _letters_url(platform: RunningPlatform) -> str:
    return f"http://127.0.0.1:{platform.settings.dead_letters_port}/v1/dead-letters"


def _letter(platform: RunningPlatform, event_id: str) -> dict[str, Any]:
    """The letter of this event, once there is one."""
    headers = tokens.to_daprd(platform.settings)
    kept = httpx.get(_letters_url(platform), params={"limit": 1000}, headers=headers).json()["letters"]
    found: dict[str, Any] = next((letter for letter in kept if letter["event_id"] == event_id), {})
    return found


def test_thirty_malformed_events_in_front_hold_no_good_one_back(platform: RunningPlatform) -> None:
    """Without a dead-letter topic none would get past them."""
    bad = [event(price=-1) for _ in range(30)]
    good = [event(id=f"behind-{number}") for number in range(2000)]
    before = _handled(platform, "/widgets.v1", "stored")
    _queue(platform, [*bad, *good])
    eventually(lambda: _handled(platform, "/widgets.v1", "stored") >= before + 2000)
    for number in (0, 999, 1999):
        assert platform.get(f"/v1/widgets/behind-{number}").status_code == 200
    eventually(lambda: _letter(platform, bad[-1]["id"]))


def test_products_survive_restarts_of_their_service_and_sidecar(platform: RunningPlatform) -> None:
    platform.publish(event("thingamajig.v1", "durable"))
    stored(platform, "products", "durable")
    platform.restart("products")
    platform.restart("products-daprd")
    assert stored(platform, "products", "durable")["id"] == "durable"


def test_a_state_store_that_is_down_is_said_and_widgets_are_not_concerned(platform: RunningPlatform) -> None:
    for type, resource in CASES:
        platform.publish(event(type, "before"))
        stored(platform, resource, "before")
    platform.stop("valkey")
    try:
        for resource in ("gadgets", "products"):
            answer = platform.get(f"/v1/{resource}/before")
            assert (answer.status_code, answer.json()["type"]) == (503, "UNAVAILABLE")
        assert platform.get("/v1/widgets/before").status_code == 200
        assert platform.get("/healthz").status_code == 200
        readiness = platform.get("/readyz")
        assert readiness.status_code == 200, "an outage of one store takes nothing else out of service"
        assert readiness.json()["dependencies"]["statestore"] == "unavailable"
        assert readiness.json()["dependencies"]["postgresql"] == "ok"
    finally:
        platform.start("valkey")
    for _, resource in CASES:
        assert stored(platform, resource, "before")["id"] == "before"
