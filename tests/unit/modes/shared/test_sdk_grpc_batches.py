"""Events that the SDK's extension hands over one by one arrive in batches, on the loop of the service."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import pytest
from dapr.ext.grpc import App, Rule, SubscriptionMessage
from dapr.proto import appcallback_v1

from dapr_hero.contract.events import CloudEvent, Outcome, Verdict
from dapr_hero.contract.mode import Mode
from dapr_hero.contract.routing import Topic
from dapr_hero.modes.shared.sdk_grpc_batches import BatchInterceptor
from dapr_hero.modes.shared.sdk_grpc_server import SdkGrpcServer
from dapr_hero.settings import Settings
from dapr_local.ports import free_ports
from tests import handover
from tests.conformance.conftest import Handler
from tests.conformance.fake_sidecar import Deliverer
from tests.events import event

PATH, RAW_PATH = "/widgets.v1", "/parked/widgets"
STATUS = appcallback_v1.TopicEventResponse


@pytest.fixture
def handler() -> Handler:
    return Handler()


@pytest.fixture
async def daprd(handler: Handler) -> AsyncIterator[Deliverer]:
    """A client of an app with two topics, one of them raw."""
    batches = BatchInterceptor(handler.deliver, asyncio.get_running_loop())
    app = App(thread_pool=ThreadPoolExecutor(2), interceptors=[batches])
    for path, topic, raw in ((PATH, Topic("events", "new"), False), (RAW_PATH, Topic("raw", "parked"), True)):
        register = app.subscribe(topic.pubsub, topic.name, rule=Rule("true", 0))
        register(batches.handler(path, topic, raw=raw))
    [port] = free_ports(1)
    server = SdkGrpcServer(app, port)
    await server.start()
    yield Deliverer(Settings(dapr_mode=Mode.SDK_GRPC, sdk_grpc_port=port, app_api_token=""))
    await server.stop()


def ids(handler: Handler) -> list[tuple[str, list[str]]]:
    return [(path, [each.id for each in batch]) for path, batch in handler.batches]


async def test_a_bulk_is_one_batch_and_each_entry_gets_its_own_status(
    daprd: Deliverer, handler: Handler
) -> None:
    handler.outcomes = {"b": Outcome(Verdict.RETRY), "c": Outcome(Verdict.REJECT)}
    events = [{**event(), "id": id} for id in "abc"]
    assert await daprd.bulk(PATH, events) == ["SUCCESS", "RETRY", "SUCCESS"]
    assert ids(handler) == [(PATH, ["a", "b", "c"])]


async def test_a_single_event_is_a_batch_of_its_own_even_after_a_bulk(
    daprd: Deliverer, handler: Handler
) -> None:
    handler.outcomes = {"b": Outcome(Verdict.RETRY)}
    # As many bulks at once as there are threads: the next event is on a thread that has had one.
    await asyncio.gather(*(daprd.bulk(PATH, [{**event(), "id": id}]) for id in "xy"))
    handler.batches.clear()
    assert await daprd.one(PATH, {**event(traceparent="a trace"), "id": "a"}) == "SUCCESS"
    assert await daprd.one(PATH, {**event(), "id": "b"}) == "RETRY"
    assert ids(handler) == [(PATH, ["a"]), (PATH, ["b"])]
    [[first], _] = [batch for _, batch in handler.batches]
    assert (first.type, first.time, first.traceparent) == ("widget.v1", "2026-01-01T00:00:00Z", "a trace")


async def test_an_unknown_path_is_retried_and_reaches_no_handler(daprd: Deliverer, handler: Handler) -> None:
    assert await daprd.one("/future.v1", event()) == "RETRY"
    assert await daprd.bulk("/future.v1", [event(), event()]) == ["RETRY", "RETRY"]
    assert handler.batches == []


async def test_the_path_alone_decides_whatever_the_topic(daprd: Deliverer, handler: Handler) -> None:
    fields = handover.message({**event(), "id": "a"})
    assert fields is not None
    assert await daprd.fields(PATH, fields, Topic("another", "topic")) == "SUCCESS"
    assert ids(handler) == [(PATH, ["a"])]


async def test_on_a_raw_topic_the_payload_is_the_event(daprd: Deliverer, handler: Handler) -> None:
    assert await daprd.wrapped(RAW_PATH, b'{"id": "inner", "type": "widget.v1"}') == "SUCCESS"
    assert await daprd.wrapped(RAW_PATH, b"no event") == "SUCCESS"
    [[first], [second]] = [batch for _, batch in handler.batches]
    assert (first.id, first.fault) == ("inner", "")
    assert "not a CloudEvent" in second.fault


class Call(NamedTuple):
    """The details of a gRPC call, as an interceptor gets them."""

    method: str


class Inner(NamedTuple):
    """The extension's handler of a method."""

    unary_unary: Any
    request_deserializer: Any = None
    response_serializer: Any = None


async def test_an_entry_that_the_extension_cannot_read_takes_no_outcome_of_another() -> None:
    loop = asyncio.get_running_loop()

    async def deliver(path: str, batch: Sequence[CloudEvent]) -> list[Outcome]:
        assert asyncio.get_running_loop() is loop
        return [Outcome(Verdict.STORED if each.id == "a" else Verdict.RETRY) for each in batch]

    batches = BatchInterceptor(deliver, loop)
    handle = batches.handler(PATH, Topic("pubsub", "inventory"), raw=False)

    def inner(request: Any, context: Any) -> Any:
        statuses = []
        for entry in request.entries:
            status = STATUS.RETRY
            if entry.entry_id != "unreadable":
                fields = handover.message({**event(), "id": entry.entry_id})
                assert fields is not None
                status = handle(SubscriptionMessage(appcallback_v1.TopicEventRequest(**fields))).status.value
            statuses.append(
                appcallback_v1.TopicEventBulkResponseEntry(entry_id=entry.entry_id, status=status)
            )
        return appcallback_v1.TopicEventBulkResponse(statuses=statuses)

    entries = [appcallback_v1.TopicEventBulkRequestEntry(entry_id=id) for id in ("unreadable", "b", "a", "c")]
    request = appcallback_v1.TopicEventBulkRequest(path=PATH, entries=entries)
    method = batches.intercept_service(lambda _: Inner(inner), Call("/a.Service/OnBulkTopicEvent"))
    response = await asyncio.to_thread(method.unary_unary, request, None)
    assert [(each.entry_id, each.status) for each in response.statuses] == [
        ("unreadable", STATUS.RETRY),
        ("b", STATUS.RETRY),
        ("a", STATUS.SUCCESS),
        ("c", STATUS.RETRY),
    ]
    assert batches.intercept_service(lambda _: "untouched", Call("/a.Service/OnInvoke")) == "untouched"
