"""Hostile deliveries over HTTP, in the two modes that receive events over it."""

import base64
import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dapr_hero.contract.kinds import KINDS, Kind
from dapr_hero.contract.mode import Mode
from dapr_hero.contract.routing import DEAD_LETTERS_PATH
from tests.fuzz import texts
from tests.fuzz.account import check_dead, check_fresh, check_pack, resource_of
from tests.fuzz.host import Client, Listening
from tests.fuzz.judge import judge, read, shallow
from tests.fuzz.profiles import PROFILE
from tests.fuzz.tally import Count
from tests.fuzz.world import Down, World, answered, downs

# What daprd says of a lone event, and of a bulk of them.
SINGLE, BULK = b"application/cloudevents+json", b"application/json"
TYPES = ("widget.v1", "gadget.v1", "thingamajig.v1")

kinds = st.sampled_from(KINDS)
_token = st.text("abcdefghijklmnopqrstuvwxyz0123456789-_.!~*'", min_size=1, max_size=12)
_ours = {"content-type", "content-length", "host", "connection", "transfer-encoding", "expect", "upgrade"}
_value = st.binary(max_size=20).map(lambda value: bytes(byte for byte in value if byte >= 32 and byte != 127))
headers = st.lists(
    st.tuples(
        st.one_of(
            st.sampled_from(["traceparent", "tracestate", "baggage", "content-encoding", "accept", "cookie"]),
            _token.filter(lambda name: name not in _ours),
        ),
        _value,
    ),
    max_size=3,
)


@pytest.fixture(scope="module")
def client(http: Listening) -> Iterator[Client]:
    client = Client(http.settings.callback_port)
    yield client
    client.close()


def post(
    client: Client, path: str, body: bytes, content_type: bytes, more: Sequence[tuple[str, bytes]] = ()
) -> Any:
    """The answer that daprd reads. 404 would be "drop it", and any other failure "again, and again"."""
    response = client.send("POST", path, body, [("content-type", content_type), *more])
    assert response.status == 200, response
    return json.loads(response.body)


@given(kinds, texts.bodies(texts.events()), headers, downs)
@PROFILE
def test_single(
    http: Listening, client: Client, count: Count, kind: Kind, body: bytes, more: Any, down: Down
) -> None:
    world = http.world = World(http.settings, down)
    answer = post(client, kind.path, body, SINGLE, more)["status"]
    count.add(*answered(world, [answer]))
    check_fresh(world, kind.resource, [judge(body)], [answer])


@st.composite
def _bulks(draw: st.DrawFn) -> tuple[bytes, list[bytes]]:
    """A bulk envelope as daprd makes it, but for the ids of its entries; and the events in it."""
    events = draw(st.lists(texts.events(), max_size=5))
    ids = st.sampled_from(['"a"', '"b"', '""', "5", "null", '"\\u0000"', None])
    entries = []
    for event in events:
        fields = [("event", event)] if event else []
        id = draw(ids)
        entries.append(texts.text((*((("entryId", id),) if id else ()), *fields)))
    return f'{{"id":"bulk","entries":[{",".join(entries)}],"type":"x"}}'.encode(), [
        e.encode() for e in events
    ]


@given(kinds, _bulks(), headers, downs)
@PROFILE
def test_bulk(
    http: Listening, client: Client, count: Count, kind: Kind, bulk: Any, more: Any, down: Down
) -> None:
    body, events = bulk
    world = http.world = World(http.settings, down)
    answer = post(client, kind.path, body, BULK, more)
    answers = [each["status"] for each in answer["statuses"]]
    count.add(*answered(world, answers))
    if not answers and _is_unreadable(body):
        assert world.is_empty, "daprd delivers all of them again"
        return
    sent = [entry.get("entryId", "") for entry in read(body)["entries"]]
    assert [each["entryId"] for each in answer["statuses"]] == sent
    check_fresh(world, kind.resource, [judge(event) for event in events], answers)


@given(kinds, st.lists(texts.versions(), min_size=2, max_size=6))
@PROFILE
def test_order(http: Listening, client: Client, count: Count, kind: Kind, events: list[str]) -> None:
    entries = ",".join(f'{{"entryId":"{place}","event":{event}}}' for place, event in enumerate(events))
    world = http.world = World(http.settings)
    answer = post(client, kind.path, f'{{"entries":[{entries}]}}'.encode(), BULK)
    answers = [each["status"] for each in answer["statuses"]]
    count.add(*answered(world, answers))
    check_fresh(world, kind.resource, [judge(event.encode()) for event in events], answers)


@given(kinds, texts.bodies(texts.events()), headers)
@PROFILE
def test_no_bulk_where_one_should_be(
    http: Listening, client: Client, count: Count, kind: Kind, body: bytes, more: Any
) -> None:
    world = http.world = World(http.settings)
    answer = post(client, kind.path, b'{"entries":' + body + b"}", BULK, more)
    count.add(*answered(world, [each["status"] for each in answer["statuses"]]))


def _is_unreadable(body: bytes) -> bool:
    """As a whole: by one event that is no JSON, or of which JSON leaves open what it is."""
    try:
        read(body)
    except ValueError:
        return True
    return judge(body).odd or shallow(body) != body


@given(kinds, texts.bodies(texts.events(TYPES, texts.packs())), downs)
@PROFILE
def test_parked(
    http: Listening, client: Client, count: Count, kind: Kind, payload: bytes, down: Down
) -> None:
    world = http.world = World(http.settings, down)
    answer = post(client, kind.parked_path, wrapped(payload), SINGLE)["status"]
    count.add(*answered(world, [answer]))
    check_pack(world, kind.resource, judge(payload), answer)


@given(texts.bodies(texts.events(TYPES)), downs)
@PROFILE
def test_dead_letter(http: Listening, client: Client, count: Count, payload: bytes, down: Down) -> None:
    world = http.world = World(http.settings, down)
    answer = post(client, DEAD_LETTERS_PATH, wrapped(payload), SINGLE)["status"]
    count.add(*answered(world, [answer]))
    letter = judge(payload)
    check_dead(world, resource_of(letter), letter, answer)


def wrapped(payload: bytes) -> bytes:
    """As daprd does for a raw subscription."""
    return json.dumps(
        {"type": "com.dapr.event.sent", "data_base64": base64.b64encode(payload).decode()}
    ).encode()


@given(texts.bodies(texts.events(TYPES)))
@PROFILE
def test_dead_letter_that_is_not_wrapped(http: Listening, client: Client, count: Count, body: bytes) -> None:
    world = http.world = World(http.settings)
    answer = post(client, DEAD_LETTERS_PATH, body, SINGLE)["status"]
    count.add(*answered(world, [answer]))
    assert answer == "SUCCESS"
    assert not world.is_empty


@pytest.mark.parametrize("http", [Mode.SDK_HTTP], indirect=True)  # Only the SDK's registration has one.
@given(texts.bodies(texts.events(TYPES)), downs)
@PROFILE
def test_registered_route(http: Listening, client: Client, count: Count, body: bytes, down: Down) -> None:
    world = http.world = World(http.settings, down)
    answer = post(client, f"/{http.settings.pubsub_topic}", body, SINGLE)["status"]
    count.add(*answered(world, [answer]))
    event = judge(body)
    check_fresh(world, resource_of(event), [event], [answer])
