"""Deliveries in every mode. Status words are those of Dapr's HTTP API."""

import asyncio
import base64
import json
from collections.abc import Awaitable
from typing import Any

import aiohttp
import grpc.aio
import psutil
import pytest

from dapr_hero import modes
from dapr_hero.contract.events import Outcome, Verdict, version
from dapr_hero.contract.items import Malformed
from dapr_hero.contract.kinds import DEFAULT, KINDS
from dapr_hero.contract.mode import Mode
from dapr_hero.contract.routing import DEAD_LETTERS_PATH, Topic, subscriptions
from dapr_hero.service.servers import PortInUse
from dapr_hero.settings import Settings
from tests.conformance.conftest import Handler, grpc_only, http_only
from tests.conformance.fake_sidecar import Deliverer
from tests.events import event
from tests.handover import message

RETRY = Outcome(Verdict.RETRY, "later")
REJECT = Outcome(Verdict.REJECT, "never")
PATHS = [kind.path for kind in KINDS]
RESOURCES = [kind.resource for kind in KINDS]


@pytest.mark.parametrize("path", PATHS)
async def test_a_lone_event_reaches_its_route_whole(daprd: Deliverer, handler: Handler, path: str) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    sent = event(id="é a/b", price=0.1, traceparent=trace)
    assert await daprd.one(path, sent) == "SUCCESS"
    [(got_path, [got])] = handler.batches
    assert got_path == path
    assert (got.id, got.type, got.traceparent) == (sent["id"], "widget.v1", trace)
    item, stamp = version(got)
    assert (item.id, item.description, str(item.price)) == ("é a/b", "about é a/b", "0.1")
    assert stamp == f"2026-01-01T00:00:00.000000000Z/{sent['id']}"


@pytest.mark.parametrize("path", PATHS)
async def test_a_bulk_is_one_batch_in_order(daprd: Deliverer, handler: Handler, path: str) -> None:
    sent = [event(id=str(number)) for number in range(50)]
    assert await daprd.bulk(path, sent) == ["SUCCESS"] * 50
    [(got_path, batch)] = handler.batches
    assert got_path == path
    assert [each.id for each in batch] == [each["id"] for each in sent]


async def test_each_event_of_a_bulk_has_its_own_status(daprd: Deliverer, handler: Handler) -> None:
    handler.outcomes = {"b": RETRY, "c": REJECT}
    statuses = await daprd.bulk("/widgets.v1", [event() | {"id": id} for id in "abcd"])
    assert statuses == ["SUCCESS", "RETRY", "SUCCESS", "SUCCESS"]


@pytest.mark.parametrize(("outcome", "status"), [(RETRY, "RETRY"), (REJECT, "SUCCESS")])
async def test_a_lone_event_has_its_status(
    daprd: Deliverer, handler: Handler, outcome: Outcome, status: str
) -> None:
    handler.outcomes = {"e": outcome}
    assert await daprd.one("/widgets.v1", event() | {"id": "e"}) == status


async def test_events_that_are_no_events_come_as_malformed_beside_good_ones(
    daprd: Deliverer, handler: Handler
) -> None:
    bad = [
        event() | {"id": 5},
        event(datacontenttype="text/plain", data="text"),
        event() | {"source": None},
        event() | {"time": 7},
    ]
    await daprd.bulk("/widgets.v1", [event(), *bad])
    [(_, [good, *malformed])] = handler.batches
    assert version(good).item.id == "w1"
    for each in malformed:
        with pytest.raises(Malformed):
            version(each)


async def test_an_event_without_any_optional_attribute_is_delivered(
    daprd: Deliverer, handler: Handler
) -> None:
    bare = event() | {"id": None, "source": None, "specversion": None, "datacontenttype": None}
    await daprd.one("/widgets.v1", {name: value for name, value in bare.items() if value is not None})
    [(_, [got])] = handler.batches
    with pytest.raises(Malformed):
        version(got)


async def test_an_event_can_be_given_back_as_it_came(daprd: Deliverer, handler: Handler) -> None:
    sent = [
        event(price=0.1, subject="s"),
        event(datacontenttype="text/plain", data="é"),
        event() | {"data": 5},
    ]
    await daprd.bulk("/widgets.v1", sent)
    [(_, batch)] = handler.batches
    assert [json.loads(each.original()) for each in batch] == sent


async def test_numbers_are_given_back_as_they_came(daprd: Deliverer, handler: Handler) -> None:
    numbers = '[5,0.5,-3,1e+300,{"a":7}]'
    await daprd.bulk("/widgets.v1", [event(more=json.loads(numbers))])
    [(_, [got])] = handler.batches
    assert json.dumps(json.loads(got.original())["more"], separators=(",", ":")) == numbers


async def test_a_failing_handler_is_never_success(daprd: Deliverer, handler: Handler) -> None:
    handler.error = RuntimeError("handler broke")
    for delivery in (daprd.one("/widgets.v1", event()), daprd.bulk("/widgets.v1", [event()])):
        # 404 and UNIMPLEMENTED are the two failures that daprd takes for "drop it".
        assert await failure(delivery) in (500, grpc.StatusCode.UNKNOWN)


async def failure(delivery: Awaitable[object]) -> int | grpc.StatusCode:
    try:
        await delivery
    except aiohttp.ClientResponseError as error:
        return error.status
    except grpc.aio.AioRpcError as error:
        return error.code()
    return 200


async def test_deliveries_do_not_wait_for_each_other(daprd: Deliverer, handler: Handler) -> None:
    handler.gate = asyncio.Event()
    async with asyncio.timeout(10):
        first = asyncio.create_task(daprd.bulk("/widgets.v1", [event()]))
        await handler.entered.wait()
        held, handler.gate = handler.gate, None
        assert await daprd.one("/gadgets.v1", event("gadget.v1")) == "SUCCESS"
        assert not first.done()
        held.set()
        assert await first == ["SUCCESS"]


async def test_a_stop_answers_what_is_under_way(settings: Settings, handler: Handler) -> None:
    mode = modes.load(settings.dapr_mode)
    listener = await mode.listen(settings, subscriptions(settings.topics), handler.deliver)
    handler.gate = asyncio.Event()
    async with asyncio.timeout(10):
        under_way = asyncio.create_task(Deliverer(settings).bulk("/widgets.v1", [event()]))
        await handler.entered.wait()
        stopping = asyncio.create_task(listener.stop())
        # asyncio drops a connection that it accepts in the turn in which the server closes.
        await asyncio.wait({stopping}, timeout=0.05)
        while await accepts(settings.callback_port):
            await asyncio.sleep(0.01)
        # Long enough for a stop that cuts, which the suite must not take for one that waits.
        done, _ = await asyncio.wait({under_way, stopping}, timeout=0.3)
        assert not done
        handler.gate.set()
        assert await under_way == ["SUCCESS"]
        await stopping
    with pytest.raises((aiohttp.ClientConnectionError, grpc.aio.AioRpcError)):
        await Deliverer(settings).one("/widgets.v1", event())


async def accepts(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


async def test_a_taken_port_is_said(settings: Settings, daprd: Deliverer, handler: Handler) -> None:
    mode = modes.load(settings.dapr_mode)
    with pytest.raises(PortInUse, match=str(settings.callback_port)):
        await mode.listen(settings, subscriptions(settings.topics), handler.deliver)


async def test_it_listens_on_loopback_only(daprd: Deliverer) -> None:
    listening = [
        each for each in psutil.Process().net_connections("inet") if each.status == psutil.CONN_LISTEN
    ]
    ours = [each.laddr.ip for each in listening if each.laddr.port == daprd.settings.callback_port]
    assert ours in (["127.0.0.1"], ["::ffff:127.0.0.1"])


@pytest.mark.parametrize("path", [*(kind.parked_path for kind in KINDS), DEAD_LETTERS_PATH])
@pytest.mark.parametrize("payload", [b'{"type": "widget.v1", "price": 1.0}', b"no event \xff", b""])
async def test_parked_messages_are_delivered_byte_for_byte(
    daprd: Deliverer, handler: Handler, path: str, payload: bytes
) -> None:
    assert await daprd.wrapped(path, payload) == "SUCCESS"
    [(got_path, [got])] = handler.batches
    assert (got_path, got.original()) == (path, payload)


async def test_the_registration_in_code_says_what_the_mode_can_say(daprd: Deliverer) -> None:
    [said, *parked, letters] = await daprd.registrations()
    rules = [
        {"match": f'event.type == "{kind.type}"', "path": kind.path} for kind in KINDS if kind is not DEFAULT
    ]
    bulk = {"enabled": True, "maxMessagesCount": 500, "maxAwaitDurationMs": 1}
    match daprd.settings.dapr_mode:
        case Mode.CUSTOM_HTTP | Mode.CUSTOM_GRPC:
            assert said["routes"] == {"rules": rules, "default": DEFAULT.path}
            assert said["bulkSubscribe"] == bulk
        case Mode.SDK_GRPC:  # rules, but no default route and no bulk
            assert said["routes"] == {"rules": [*rules, {"match": "true", "path": DEFAULT.path}]}
            assert "bulkSubscribe" not in said
        case Mode.SDK_HTTP:  # one route
            assert said["route"] == "/inventory"
    assert said["deadLetterTopic"] == "inventory-dead-letters"
    assert _topic(said) == ("pubsub", "inventory")
    assert [_topic(each) for each in parked] == [
        (f"pubsub-parked-{name}", f"inventory-parked-{name}") for name in RESOURCES
    ]
    assert _topic(letters) == ("pubsub-dead-letters", "inventory-dead-letters")
    assert [each["metadata"] for each in (*parked, letters)] == [{"rawPayload": "true"}] * (len(KINDS) + 1)


def _topic(registration: dict[str, Any]) -> tuple[str, str]:
    return registration.get("pubsubname") or registration["pubsubName"], registration["topic"]


@pytest.mark.parametrize("settings", [Mode.SDK_HTTP], indirect=True)
@pytest.mark.parametrize(("type", "path"), [(kind.type, kind.path) for kind in KINDS])
async def test_sdk_http_routes_by_itself_where_its_registration_cannot(
    daprd: Deliverer, handler: Handler, type: str, path: str
) -> None:
    assert await daprd.one("/inventory", event(type)) == "SUCCESS"
    assert [got_path for got_path, _ in handler.batches] == [path]


@http_only  # Over gRPC a message that cannot be parsed never reaches the app.
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"5", b"null", b"\xff", b'{"entries": 5}'])
async def test_a_body_that_is_no_event_is_handed_over_as_malformed(
    daprd: Deliverer, handler: Handler, body: bytes
) -> None:
    await daprd.raw("/widgets.v1", body)
    [(_, [got])] = handler.batches
    with pytest.raises(Malformed):
        version(got)


async def test_an_event_with_an_attribute_entries_is_still_one_event(
    daprd: Deliverer, handler: Handler
) -> None:
    handler.outcomes = {"e": RETRY}
    assert await daprd.one("/widgets.v1", event(entries=[]) | {"id": "e"}) == "RETRY"
    [(_, [got])] = handler.batches
    assert version(got).item.id == "w1"


@http_only  # The types of gRPC's messages leave no choice.
async def test_the_entries_of_a_bulk_are_answered_with_the_ids_that_they_have(
    daprd: Deliverer, handler: Handler
) -> None:
    entries = [{"entryId": 5, "event": event()}, {"event": event()}, {"entryId": "a"}]
    answered = await daprd.envelope("/widgets.v1", json.dumps({"entries": entries}).encode())
    assert [each["entryId"] for each in answered] == [5, "", "a"]


@http_only
@pytest.mark.parametrize(
    "body", [b'{"entries":[{"entryId":"a","event":' + b"[" * 20_000 + b"]" * 20_000 + b"}]}", b"{", b"5"]
)
async def test_of_a_bulk_that_cannot_be_read_nothing_is_answered(
    daprd: Deliverer, handler: Handler, body: bytes
) -> None:
    assert await daprd.envelope("/widgets.v1", body) == []
    assert [batch for _, batch in handler.batches if batch] == []


@grpc_only  # Over HTTP it makes the whole body no JSON.
@pytest.mark.parametrize("data", [b'1,"type":"another"', b"{", b"\xff"])
async def test_data_that_is_no_json_is_given_back_in_bytes(
    daprd: Deliverer, handler: Handler, data: bytes
) -> None:
    whole = event(data_base64=base64.b64encode(data).decode(), data=None)
    assert await daprd.one("/widgets.v1", whole) == "SUCCESS"
    [(_, [got])] = handler.batches
    assert json.loads(got.original()) == whole


@pytest.mark.parametrize("path", ["/widgets.v2", "/widgets.v1/", "/", "/a/b?c"])
async def test_events_on_an_unknown_path_come_again(daprd: Deliverer, handler: Handler, path: str) -> None:
    """daprd forgets an event that is answered with 404 or UNIMPLEMENTED."""
    assert await daprd.one(path, event()) == "RETRY"
    assert await daprd.bulk(path, [event(), event()]) == ["RETRY"] * 2
    assert handler.batches == []


@grpc_only  # Over HTTP there is nothing but the path.
async def test_the_path_alone_decides_whatever_the_topic(daprd: Deliverer, handler: Handler) -> None:
    fields = message(event())
    assert fields
    assert await daprd.fields("/widgets.v1", fields, Topic("another", "topic")) == "SUCCESS"
    assert [path for path, _ in handler.batches] == ["/widgets.v1"]


@grpc_only
async def test_an_event_of_which_a_part_is_withheld_is_neither_stored_nor_given_back(
    daprd: Deliverer, handler: Handler
) -> None:
    complete = event()
    partly = [{**complete, name: 7} for name in complete if name not in ("time", "data")]
    partly += [{**complete, "datacontenttype": "application/x+json"}, event(data=None, data_base64="e30=")]
    await daprd.bulk("/widgets.v1", [*partly, event(datacontenttype="text/plain")])
    [(_, batch)] = handler.batches
    assert len(batch) == len(partly) + 1, "daprd sends an empty entry for the last one"
    for got in batch:
        assert got.original() == b""
        with pytest.raises(Malformed, match="hands over only a part"):
            version(got)
