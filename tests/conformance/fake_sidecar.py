"""A daprd with a script, for the modes' conformance suite: state, secrets and publish out, deliveries in.

It speaks HTTP and gRPC at once, as daprd does, and delivers by the rules of `tests.handover`. tests/platform
holds the same behaviours against the real one.
"""

import asyncio
import base64
import io
import json
import threading
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any

import aiohttp
import grpc.aio
from dapr.proto import api_service_v1, api_v1, appcallback_service_v1, appcallback_v1
from google.protobuf.empty_pb2 import Empty
from google.protobuf.json_format import MessageToDict
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dapr_hero.contract.kinds import DEFAULT
from dapr_hero.contract.routing import Topic, subscriptions
from dapr_hero.service.servers import HttpServer
from dapr_hero.settings import Settings
from dapr_hero.sidecar import tokens
from tests import handover

Event = Mapping[str, Any]


class FakeSidecar(api_service_v1.DaprServicer):
    """In-memory stores behind both APIs. Tests set `failing`, `broken_keys`, `healthy`, `gate`, at which
    reads of state wait, and `wants`, the token without which it refuses to publish; they read the rest.

    It runs on a separate thread with its own loop: the SDK's constructor blocks the caller's loop while it asks
    for the sidecar's health.
    """

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.healthy = True
        self.failing = False
        self.broken_keys: set[str] = set()
        self.gate: threading.Event | None = None
        self.waiting = 0
        self.states: dict[str, tuple[bytes, int]] = {}
        self.secrets: dict[str, dict[str, str]] = {}
        self.published: list[tuple[str, str, bytes, str]] = []
        self.traceparents: list[str] = []
        self.round_trips = 0
        # Those that came with the calls; None: a call came without.
        self.tokens: set[str | None] = set()
        self.wants: str | None = None
        # Those in force, as daprd's metadata reports them.
        self.subscriptions: list[dict[str, Any]] = []

    async def start(self, settings: Settings) -> None:
        self._thread.start()
        await self._there(self._start(settings))

    async def stop(self) -> None:
        """Idempotent."""
        if self._thread.is_alive():
            await self._there(self._stop())
            self._loop.call_soon_threadsafe(self._loop.stop)
            await asyncio.to_thread(self._thread.join)
            self._loop.close()

    async def _there(self, work: Coroutine[Any, Any, None]) -> None:
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    async def _start(self, settings: Settings) -> None:
        routes = [
            Route("/v1.0/healthz/outbound", self._health),
            Route("/v1.0/metadata", self._metadata),
            Route("/v1.0/secrets/{store}/{key}", self._secret),
            Route("/v1.0/state/{store}/bulk", self._bulk_state, methods=["POST"]),
            Route("/v1.0/state/{store}", self._save, methods=["POST"]),
            Route("/v1.0/publish/{pubsub}/{topic}", self._publish, methods=["POST"]),
        ]
        self._http = await HttpServer.start(Starlette(routes=routes), "127.0.0.1", settings.dapr_http_port)
        self._grpc = grpc.aio.server()
        api_service_v1.add_DaprServicer_to_server(self, self._grpc)
        self._grpc.add_insecure_port(f"127.0.0.1:{settings.dapr_grpc_port}")
        await self._grpc.start()

    async def _stop(self) -> None:
        await self._http.stop()
        await self._grpc.stop(0)

    def _save_one(self, key: str, value: bytes, etag: str) -> bool:
        version = self.states[key][1] if key in self.states else 0
        if etag != str(version):
            return False
        self.states[key] = (value, version + 1)
        return True

    # HTTP

    async def _health(self, request: Request) -> Response:
        self.tokens.add(request.headers.get(tokens.HEADER))
        return Response(status_code=204 if self.healthy else 500)

    async def _metadata(self, request: Request) -> Response:
        self._called(request.headers)
        if self.failing:
            return JSONResponse({"errorCode": "ERR_METADATA_GET"}, 500)
        return JSONResponse({"id": "inventory", "subscriptions": self.subscriptions})

    def _called(self, headers: Mapping[str, str]) -> None:
        self.round_trips += 1
        self.tokens.add(headers.get(tokens.HEADER))
        if "traceparent" in headers:
            self.traceparents.append(headers["traceparent"])

    async def _secret(self, request: Request) -> Response:
        self._called(request.headers)
        if self.failing:
            return JSONResponse({"errorCode": "ERR_SECRET_GET"}, 500)
        return JSONResponse(self.secrets[request.path_params["key"]])

    async def _pass(self) -> None:
        if self.gate:
            self.waiting += 1
            await asyncio.to_thread(self.gate.wait)

    async def _bulk_state(self, request: Request) -> Response:
        self._called(request.headers)
        await self._pass()
        if self.failing:
            return JSONResponse({"errorCode": "ERR_STATE_GET"}, 500)
        found = []
        for key in (await request.json())["keys"]:
            entry: dict[str, Any] = {"key": key}
            if key in self.broken_keys:
                entry["error"] = "broken"
            elif key in self.states:
                value, version = self.states[key]
                entry |= {"data": json.loads(value), "etag": str(version)}
            found.append(entry)
        return JSONResponse(found)

    async def _save(self, request: Request) -> Response:
        self._called(request.headers)
        if self.failing:
            return JSONResponse({"errorCode": "ERR_STATE_SAVE"}, 500)
        saved = [
            self._save_one(each["key"], json.dumps(each["value"]).encode(), each.get("etag", ""))
            for each in await request.json()
        ]
        return Response(status_code=204 if all(saved) else 409)

    async def _publish(self, request: Request) -> Response:
        self._called(request.headers)
        if self.failing:
            return JSONResponse({"errorCode": "ERR_PUBSUB_PUBLISH_MESSAGE"}, 500)
        if self.wants not in (None, request.headers.get(tokens.HEADER)):
            return Response("invalid api token", 401)
        content_type = request.headers["content-type"]
        path = request.path_params
        self.published.append((path["pubsub"], path["topic"], await request.body(), content_type))
        return Response(status_code=204)

    # gRPC

    async def _grpc_called(self, context: Any) -> None:
        self._called(dict(context.invocation_metadata()))
        if self.failing:
            await context.abort(grpc.StatusCode.INTERNAL, "scripted failure")

    async def GetSecret(self, request: Any, context: Any) -> Any:
        await self._grpc_called(context)
        return api_v1.GetSecretResponse(data=self.secrets[request.key])

    async def GetBulkState(self, request: Any, context: Any) -> Any:
        await self._grpc_called(context)
        await self._pass()
        items = []
        for key in request.keys:
            item = api_v1.BulkStateItem(key=key)
            if key in self.broken_keys:
                item.error = "broken"
            elif key in self.states:
                item.data, item.etag = self.states[key][0], str(self.states[key][1])
            items.append(item)
        return api_v1.GetBulkStateResponse(items=items)

    async def SaveState(self, request: Any, context: Any) -> Any:
        await self._grpc_called(context)
        saved = [self._save_one(each.key, each.value, each.etag.value) for each in request.states]
        if not all(saved):
            await context.abort(grpc.StatusCode.ABORTED, "possible etag mismatch")
        return Empty()

    async def PublishEvent(self, request: Any, context: Any) -> Any:
        await self._grpc_called(context)
        self.published.append((request.pubsub_name, request.topic, request.data, request.data_content_type))
        return Empty()


class Deliverer:
    """Hands events to an app as daprd does, over the mode's protocol; statuses come back in HTTP's words.

    It sends the app's token, except with the question for subscriptions over gRPC, as daprd does.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._url = f"http://127.0.0.1:{settings.callback_port}"
        self._address = f"127.0.0.1:{settings.callback_port}"
        self._http = settings.dapr_mode.protocol == "http"
        self._token = {tokens.HEADER: settings.app_api_token} if settings.app_api_token else {}
        self._metadata = tuple(self._token.items())

    async def registrations(self) -> list[dict[str, Any]]:
        """The subscriptions that the app asks for in code, as plain data."""
        if self._http:
            async with (
                aiohttp.ClientSession() as session,
                session.get(f"{self._url}/dapr/subscribe", headers=self._token) as response,
            ):
                response.raise_for_status()
                return list(await response.json())
        async with grpc.aio.insecure_channel(self._address) as channel:
            stub = appcallback_service_v1.AppCallbackStub(channel)
            return [
                MessageToDict(each) for each in (await stub.ListTopicSubscriptions(Empty())).subscriptions
            ]

    async def one(self, path: str, event: Event) -> str:
        if self._http:
            return str((await self._post(path, json.dumps(event).encode()))["status"])
        fields = handover.message(event)
        assert fields is not None, "daprd does not deliver this event alone"
        return await self.fields(path, fields)

    async def bulk(self, path: str, events: Sequence[Event]) -> list[str]:
        """The statuses in the order of the events. A missing status is RETRY to daprd."""
        ids = [f"entry-{number}" for number in range(len(events))]
        if self._http:
            entries = [{"entryId": id, "event": event} for id, event in zip(ids, events, strict=True)]
            envelope = json.dumps({"id": "bulk", "entries": entries}).encode()
            answer = await self._post(path, envelope, "application/json")
            statuses = {each["entryId"]: each["status"] for each in answer["statuses"]}
        else:
            statuses = await self._bulk_grpc(path, ids, events)
        return [statuses.get(id, "RETRY") for id in ids]

    async def wrapped(self, path: str, payload: bytes) -> str:
        """Deliver a message of a topic to a raw subscription: in an event that daprd creates."""
        made_up = {"data_content_type": "application/octet-stream", "type": "com.dapr.event.sent"}
        if self._http:
            event = {**made_up, "data_base64": base64.b64encode(payload).decode()}
            return str((await self._post(path, json.dumps(event).encode()))["status"])
        return await self.fields(path, {**made_up, "data": payload})

    async def fields(self, path: str, fields: dict[str, Any], topic: Topic | None = None) -> str:
        """A message with these fields, over gRPC; `topic` is another one than the path's own."""
        topics = {path: each.topic for each in subscriptions(self.settings.topics) for path in each.paths}
        topic = topic or topics.get(path, topics[DEFAULT.path])
        request = appcallback_v1.TopicEventRequest(
            **fields, topic=topic.name, pubsub_name=topic.pubsub, path=path
        )
        async with grpc.aio.insecure_channel(self._address) as channel:
            response = await appcallback_service_v1.AppCallbackStub(channel).OnTopicEvent(
                request, metadata=self._metadata
            )
        return str(appcallback_v1.TopicEventResponse.TopicEventResponseStatus.Name(response.status))

    async def envelope(self, path: str, body: bytes) -> list[dict[str, Any]]:
        """A bulk that is given as it is; only HTTP has one. What was answered for its entries."""
        return list((await self._post(path, body, "application/json"))["statuses"])

    async def raw(self, path: str, body: bytes) -> str:
        """Deliver a body that is no CloudEvent; only HTTP can carry it."""
        return str((await self._post(path, body))["status"])

    async def _post(self, path: str, body: bytes, content_type: str = "application/cloudevents+json") -> Any:
        headers = {"content-type": content_type, **self._token}
        async with (
            aiohttp.ClientSession() as session,
            session.post(self._url + path, data=io.BytesIO(body), headers=headers) as response,
        ):
            response.raise_for_status()
            return await response.json()

    async def _bulk_grpc(self, path: str, ids: list[str], events: Sequence[Event]) -> dict[str, str]:
        entries = [_entry(id, handover.entry(event)) for id, event in zip(ids, events, strict=True)]
        request = appcallback_v1.TopicEventBulkRequest(
            id="bulk", entries=entries, topic="inventory", pubsub_name="pubsub", path=path
        )
        async with grpc.aio.insecure_channel(self._address) as channel:
            answer = await appcallback_service_v1.AppCallbackStub(channel).OnBulkTopicEvent(
                request, metadata=self._metadata
            )
        name = appcallback_v1.TopicEventResponse.TopicEventResponseStatus.Name
        return {each.entry_id: name(each.status) for each in answer.statuses}


def _entry(id: str, fields: dict[str, Any] | None) -> appcallback_v1.TopicEventBulkRequestEntry:
    if fields is None:
        return appcallback_v1.TopicEventBulkRequestEntry()
    event = appcallback_v1.TopicEventCERequest(**fields)
    return appcallback_v1.TopicEventBulkRequestEntry(entry_id=id, cloud_event=event)
