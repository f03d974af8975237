"""Hostile deliveries over gRPC, in the two modes that receive events over it."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import grpc as grpc_package
import pytest
from dapr.proto import appcallback_service_v1, appcallback_v1
from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.message import DecodeError
from hypothesis import assume, given
from hypothesis import strategies as st

from dapr_hero.contract.kinds import DEFAULT, KINDS, Kind
from dapr_hero.contract.routing import DEAD_LETTERS_PATH, subscriptions
from tests.fuzz import texts
from tests.fuzz.account import check_dead, check_fresh, check_pack, resource_of
from tests.fuzz.host import DEADLINE_SECONDS, Listening
from tests.fuzz.judge import Judged, Quality, judge, judge_parts, read, read_loosely
from tests.fuzz.profiles import PROFILE
from tests.fuzz.tally import Count
from tests.fuzz.world import Down, World, answered, downs
from tests.handover import FIELDS, as_doubles, entry, is_text, is_whole

TYPES = ("widget.v1", "gadget.v1", "thingamajig.v1")
_status = appcallback_v1.TopicEventResponse.TopicEventResponseStatus.Name

kinds = st.sampled_from(KINDS)
_text = st.text(texts.characters, max_size=8) | st.sampled_from(["", "\0", "a\0b", "x" * 1024, "x" * 1025])
# Of values as JSON has them: daprd makes this part from JSON, which has neither NaN nor deep nests here.
_extra = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | _text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_text, inner, max_size=3),
    max_leaves=5,
)
_times = (texts.good_times | texts.good_times | texts.times).map(json.loads)
_extensions = st.fixed_dictionaries(
    {},
    optional={
        "time": st.one_of(_times, _times, _extra),
        "traceparent": st.just("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01") | _extra,
        "more": _extra,
        "deadletterreason": _text,
    },
)


class Sent(NamedTuple):
    """A message's fields, and what they are worth."""

    fields: dict[str, Any]
    judged: Judged


@st.composite
def _events(draw: st.DrawFn, data: st.SearchStrategy[bytes], types: tuple[str, ...] = TYPES) -> Sent:
    attributes = {
        name: json.loads(value) for name, value in draw(texts.attributes(types)).items() if name != "time"
    }
    for name in draw(st.just([]) | st.just([]) | st.lists(st.sampled_from(list(FIELDS)), max_size=1)):
        attributes[name] = draw(st.sampled_from(["text/plain", "application/xml", "", "json"]) | _text)
    fields: dict[str, Any] = {FIELDS[name]: value for name, value in attributes.items()}
    fields["data"] = draw(data)
    fields["extensions"] = ParseDict(draw(_extensions), appcallback_v1.TopicEventRequest().extensions)
    return Sent(fields, _judged(attributes, MessageToDict(fields["extensions"]), fields["data"]))


def _judged(attributes: dict[str, str | None], extensions: dict[str, Any], data: bytes) -> Judged:
    texts = {name: value or "" for name, value in attributes.items()}
    whole = read(json.dumps({**extensions, **texts}).encode())
    if not data or not all(texts.values()):
        return judge_parts(data, whole, None, withheld=True)
    if is_text(texts["datacontenttype"]):
        text = data.decode(errors="replace")
        return judge_parts(data, {**whole, "data": text}, text, odd=text.encode() != data)
    payload, odd = read_loosely(data)
    return judge_parts(data, {**whole, "data": payload}, payload, odd=odd)


@st.composite
def _handed_over(draw: st.DrawFn) -> Sent | None:
    """An event as daprd hands it over in a bulk, which is not always all of it."""
    whole, odd = read_loosely(draw(texts.events(TYPES)).encode())
    assume(isinstance(whole, dict) and not odd)
    said = as_doubles(whole)
    if said.get("data") is not None:  # Beside it daprd never hands over the other member.
        said.pop("data_base64", None)
    fields = entry(said)
    if fields is None:
        return None
    judged = judge(json.dumps(said).encode())
    if not is_whole(fields):  # Whatever it is, now nothing can be stored of it.
        judged = judged._replace(quality=Quality.BAD, item=None, withheld=True)
    return Sent(fields, judged)


class Caller:
    """daprd's side of the callbacks."""

    def __init__(self, listening: Listening) -> None:
        self._channel = grpc_package.insecure_channel(f"127.0.0.1:{listening.settings.callback_port}")
        self._callbacks = appcallback_service_v1.AppCallbackStub(self._channel)
        self._topics = {
            path: each.topic for each in subscriptions(listening.settings.topics) for path in each.paths
        }

    def close(self) -> None:
        self._channel.close()

    def one(self, path: str, fields: dict[str, Any]) -> str:
        request = appcallback_v1.TopicEventRequest(**fields, **self._where(path))
        return str(_status(self._callbacks.OnTopicEvent(request, timeout=DEADLINE_SECONDS).status))

    def bulk(self, path: str, entries: list[Any]) -> list[tuple[str, str]]:
        request = appcallback_v1.TopicEventBulkRequest(id="bulk", entries=entries, **self._where(path))
        answer = self._callbacks.OnBulkTopicEvent(request, timeout=DEADLINE_SECONDS)
        return [(each.entry_id, str(_status(each.status))) for each in answer.statuses]

    def raw(self, method: str, request: bytes) -> grpc_package.StatusCode:
        """Bytes in the place of a message."""
        call = self._channel.unary_unary(f"/dapr.proto.runtime.v1.AppCallback/{method}", bytes, bytes)
        try:
            call(request, timeout=DEADLINE_SECONDS)
        except grpc_package.RpcError as error:
            code: grpc_package.StatusCode = error.code()
            return code
        return grpc_package.StatusCode.OK

    def _where(self, path: str) -> dict[str, Any]:
        return {"path": path, "topic": self._topics[path].name, "pubsub_name": self._topics[path].pubsub}


@pytest.fixture(scope="module")
def caller(grpc: Listening) -> Iterator[Caller]:
    caller = Caller(grpc)
    yield caller
    caller.close()


_payloads = texts.bodies(texts.payloads())


@given(kinds, _events(_payloads), downs)
@PROFILE
def test_single(grpc: Listening, caller: Caller, count: Count, kind: Kind, sent: Sent, down: Down) -> None:
    world = grpc.world = World(grpc.settings, down)
    answer = caller.one(kind.path, sent.fields)
    count.add(*answered(world, [answer]))
    check_fresh(world, kind.resource, [sent.judged], [answer])


@given(kinds, st.lists(st.tuples(_text, st.none() | _events(_payloads)), max_size=5), downs)
@PROFILE
def test_bulk(
    grpc: Listening,
    caller: Caller,
    count: Count,
    kind: Kind,
    entries: list[tuple[str, Sent | None]],
    down: Down,
) -> None:
    _check_bulk(grpc, caller, count, kind, entries, down)


@given(kinds, st.lists(st.tuples(_text, _handed_over()), max_size=5), downs)
@PROFILE
def test_events(
    grpc: Listening,
    caller: Caller,
    count: Count,
    kind: Kind,
    entries: list[tuple[str, Sent | None]],
    down: Down,
) -> None:
    """Whatever event there is in the topic."""
    _check_bulk(grpc, caller, count, kind, entries, down)


def _check_bulk(
    grpc: Listening,
    caller: Caller,
    count: Count,
    kind: Kind,
    entries: list[tuple[str, Sent | None]],
    down: Down,
) -> None:
    world = grpc.world = World(grpc.settings, down)
    answers = caller.bulk(kind.path, [_entry(id, sent) for id, sent in entries])
    statuses = [status for _, status in answers]
    count.add(*answered(world, statuses))
    assert [id for id, _ in answers] == [id for id, _ in entries]
    check_fresh(world, kind.resource, [sent.judged if sent else _NOTHING for _, sent in entries], statuses)


def _version(event: str) -> Sent:
    whole = json.loads(event)
    attributes = {name: whole[name] for name in FIELDS}
    extensions, data = {"time": whole["time"]}, json.dumps(whole["data"]).encode()
    fields = {FIELDS[name]: value for name, value in attributes.items()}
    return Sent({**fields, "extensions": extensions, "data": data}, _judged(attributes, extensions, data))


@given(kinds, st.lists(texts.versions().map(_version), min_size=2, max_size=6))
@PROFILE
def test_order(grpc: Listening, caller: Caller, count: Count, kind: Kind, sent: list[Sent]) -> None:
    world = grpc.world = World(grpc.settings)
    answers = [status for _, status in caller.bulk(kind.path, [_entry("", each) for each in sent])]
    count.add(*answered(world, answers))
    check_fresh(world, kind.resource, [each.judged for each in sent], answers)


# An entry without an event.
_NOTHING = judge_parts(b"", {}, None, withheld=True)


def _entry(id: str, sent: Sent | None) -> Any:
    event = appcallback_v1.TopicEventCERequest(**sent.fields) if sent else None
    return appcallback_v1.TopicEventBulkRequestEntry(entry_id=id, cloud_event=event)


@given(kinds, texts.bodies(texts.events(TYPES, texts.packs())), downs)
@PROFILE
def test_parked(
    grpc: Listening, caller: Caller, count: Count, kind: Kind, payload: bytes, down: Down
) -> None:
    world = grpc.world = World(grpc.settings, down)
    answer = caller.one(kind.parked_path, _wrapped(payload))
    count.add(*answered(world, [answer]))
    check_pack(world, kind.resource, judge(payload), answer)


@given(texts.bodies(texts.events(TYPES)), downs)
@PROFILE
def test_dead_letter(grpc: Listening, caller: Caller, count: Count, payload: bytes, down: Down) -> None:
    world = grpc.world = World(grpc.settings, down)
    answer = caller.one(DEAD_LETTERS_PATH, _wrapped(payload))
    count.add(*answered(world, [answer]))
    letter = judge(payload)
    check_dead(world, resource_of(letter), letter, answer)


def _wrapped(payload: bytes) -> dict[str, Any]:
    """As daprd does for a raw subscription."""
    return {"type": "com.dapr.event.sent", "data": payload}


@st.composite
def _messages(draw: st.DrawFn) -> tuple[str, bytes]:
    """A message of the wrong kind, or spoilt, or nothing of the sort."""
    where: dict[str, Any] = {"path": DEFAULT.path, "topic": "inventory", "pubsub_name": "pubsub"}
    sent = draw(_events(_payloads))
    single = appcallback_v1.TopicEventRequest(**sent.fields, **where).SerializeToString()
    bulk = appcallback_v1.TopicEventBulkRequest(entries=[_entry("a", sent)], **where).SerializeToString()
    message = draw(st.sampled_from([single, bulk]))
    place = draw(st.integers(0, len(message)))
    spoilt = message[:place] + draw(st.binary(max_size=3)) + message[place + draw(st.integers(0, 3)) :]
    return draw(st.sampled_from(["OnTopicEvent", "OnBulkTopicEvent"])), draw(
        st.sampled_from([message, spoilt]) | st.binary(max_size=64)
    )


_REQUESTS: dict[str, Any] = {
    "OnTopicEvent": appcallback_v1.TopicEventRequest,
    "OnBulkTopicEvent": appcallback_v1.TopicEventBulkRequest,
}


@given(_messages())
@PROFILE
def test_bytes(grpc: Listening, caller: Caller, count: Count, message: tuple[str, bytes]) -> None:
    """gRPC itself refuses bytes that are no message, and the SDK an event on an unregistered path."""
    grpc.world = World(grpc.settings)
    method, raw = message
    code = caller.raw(method, raw)
    count.add("accepted" if code is grpc_package.StatusCode.OK else "rejected")
    assert code is not grpc_package.StatusCode.DEADLINE_EXCEEDED
    try:
        request = _REQUESTS[method].FromString(raw)
    except DecodeError:
        return
    if (request.path, request.topic, request.pubsub_name) == ("/products.v1", "inventory", "pubsub"):
        assert code is grpc_package.StatusCode.OK
    assert caller.one("/widgets.v1", {}) == "RETRY", "the server is still there"
