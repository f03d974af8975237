"""Measures the cost of a batch of widget events in the app alone, without a server, Dapr or a store, in µs per event.

python -m benchmarks.handling
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any, cast

import msgspec
from dapr.proto import appcallback_v1
from google.protobuf.struct_pb2 import Struct

from benchmarks.compare.workloads import Workload
from dapr_hero.contract.items import Version
from dapr_hero.contract.kinds import KINDS
from dapr_hero.contract.routing import subscriptions
from dapr_hero.inventory.handlers import Handlers
from dapr_hero.modes import custom_grpc
from dapr_hero.modes.shared import http_delivery
from dapr_hero.settings import Settings

_EVENTS = 500
_ROUNDS = 100
_TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def main() -> None:
    none = cast(Any, None)
    handlers = Handlers({"widgets": _store}, none, none, none)
    batch = list(Workload("handling", KINDS[:1], _EVENTS, "handling").events())
    for name, work in {"gRPC": _by_grpc(batch, handlers), "HTTP": _by_http(batch, handlers)}.items():
        sys.stdout.write(f"{name}: {asyncio.run(_microseconds(work)):.1f} µs per event\n")


async def _store(versions: list[Version], _: float) -> None: ...


async def _microseconds(work: Callable[[], Awaitable[object]]) -> float:
    await work()
    began = time.process_time()
    for _ in range(_ROUNDS):
        await work()
    return (time.process_time() - began) / _ROUNDS / _EVENTS * 1e6


def _by_grpc(batch: list[dict[str, Any]], handlers: Handlers) -> Callable[[], Awaitable[object]]:
    entries = [
        appcallback_v1.TopicEventBulkRequestEntry(
            entry_id=each["id"],
            cloud_event=appcallback_v1.TopicEventCERequest(
                id=each["id"],
                source=each["source"],
                type=each["type"],
                spec_version=each["specversion"],
                data_content_type=each["datacontenttype"],
                data=msgspec.json.encode(each["data"]),
                extensions=_extensions(each),
            ),
        )
        for each in batch
    ]
    message = appcallback_v1.TopicEventBulkRequest(entries=entries, path="/widgets.v1").SerializeToString()
    callbacks = custom_grpc.Listener(subscriptions(Settings().topics), handlers.deliver)

    async def work() -> bytes:
        request = appcallback_v1.TopicEventBulkRequest.FromString(message)
        return (await callbacks.OnBulkTopicEvent(request, None)).SerializeToString()

    return work


def _extensions(event: dict[str, Any]) -> Struct:
    extensions = Struct()
    extensions.update({"time": event["time"], "traceparent": _TRACE})
    return extensions


def _by_http(batch: list[dict[str, Any]], handlers: Handlers) -> Callable[[], Awaitable[object]]:
    entries = [{"entryId": each["id"], "event": each | {"traceparent": _TRACE}} for each in batch]
    body = msgspec.json.encode({"entries": entries})

    async def work() -> bytes:
        delivery = http_delivery.read(body, "application/json")
        return http_delivery.statuses(delivery, await handlers.deliver("/widgets.v1", delivery.events))

    return work


if __name__ == "__main__":
    main()
