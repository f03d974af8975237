"""Odd JSON: texts, not values, so that they can be wrong in every way."""

import base64
import json
from collections.abc import Mapping
from typing import TypeVar

from hypothesis import strategies as st

from dapr_hero.contract.items import MAX_DESCRIPTION, MAX_ID
from tests.fuzz import parts

Fields = tuple[tuple[str, str], ...]
T = TypeVar("T")


def _deep(levels: int, object: bool) -> str:
    return "[" + '{"a":' * levels + "1" + "}" * levels + "]" if object else "[" * levels + "]" * levels


characters = st.characters(codec="utf-8")
deep = st.builds(_deep, st.sampled_from(parts.LEVELS), st.booleans())
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(characters, max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
).map(json.dumps)
hostile = st.one_of(
    st.sampled_from(parts.NUMBERS),
    st.sampled_from(parts.STRINGS),
    st.sampled_from(parts.OTHERS),
    values,
    deep,
)
good_times = st.sampled_from(parts.GOOD_TIMES).map(json.dumps)
times = st.sampled_from(parts.TIMES).map(json.dumps) | st.builds(
    lambda moment, zone: json.dumps(moment.isoformat() + zone),
    st.datetimes(),
    st.sampled_from(["Z", "+00:00", "-12:00", "+05:45", "", "z", "+5", " "]),
)
ids = st.one_of(st.sampled_from("abc"), st.text(characters, min_size=1, max_size=8)).map(json.dumps)


def _weighted(*of: st.SearchStrategy[T]) -> st.SearchStrategy[T]:
    """One of them; what is named twice comes twice as often, which `one_of` takes for once."""
    return st.integers(0, len(of) - 1).flatmap(of.__getitem__)


def _text_of(length: int) -> st.SearchStrategy[str]:
    """At the limit and one past it, in characters that have one byte, or four."""
    return st.builds(
        lambda character, length: json.dumps(character * length, ensure_ascii=False),
        st.sampled_from(["x", "é", "😀"]),
        st.sampled_from([length, length + 1]),
    )


def text(fields: Fields) -> str:
    """A JSON object with these members, repeated ones included."""
    return "{" + ",".join(f"{json.dumps(name)}:{value}" for name, value in fields) + "}"


@st.composite
def _changed(draw: st.DrawFn, good: Mapping[str, str], odd: Mapping[str, st.SearchStrategy[str]]) -> str:
    """An object with up to two things wrong, or odd: left out, replaced, repeated or added."""
    fields = list(good.items())
    for _ in range(draw(st.sampled_from([0, 0, 0, 0, 1, 1, 2]))):
        name = draw(st.sampled_from([*good, *odd, "more"]))
        value = draw(odd.get(name, hostile) | hostile)
        match draw(st.sampled_from(["replace", "replace", "repeat", "repeat before", "omit"])):
            case "replace":
                fields = [field for field in fields if field[0] != name] + [(name, value)]
            case "repeat":
                fields.append((name, value))
            case "repeat before":
                fields.insert(0, (name, value))
            case "omit":
                fields = [field for field in fields if field[0] != name]
    return text(tuple(fields))


@st.composite
def payloads(draw: st.DrawFn) -> str:
    """An item, mostly."""
    good = {
        "id": draw(ids),
        "description": json.dumps(draw(st.text(characters, max_size=10))),
        "price": draw(st.decimals(0, 10**9, places=3).map(str)),
    }
    odd: dict[str, st.SearchStrategy[str]] = {
        "id": _text_of(MAX_ID),
        "description": _text_of(MAX_DESCRIPTION),
        "price": st.sampled_from(parts.NUMBERS),
    }
    return draw(_changed(good, odd))


@st.composite
def attributes(draw: st.DrawFn, types: tuple[str, ...]) -> dict[str, str]:
    """Those of a good event, as texts of JSON."""
    named = {
        "specversion": '"1.0"',
        "id": draw(ids),
        "source": '"fuzz"',
        "type": json.dumps(draw(st.sampled_from(types))),
        "datacontenttype": json.dumps(draw(st.sampled_from(parts.CONTENT_TYPES))),
    }
    return named | ({"time": draw(good_times)} if draw(st.booleans()) else {})


_ODD_ATTRIBUTES: dict[str, st.SearchStrategy[str]] = {
    "time": times,
    "datacontenttype": st.sampled_from(parts.BAD_CONTENT_TYPES).map(json.dumps),
    "traceparent": st.just('"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"'),
    "entries": st.sampled_from(["[]", '[{"entryId":"x","event":{}}]', '[{"entryId":"x"}]']),
    "data_base64": st.one_of(
        st.sampled_from(['""', '"e30="', '"bm8gSlNPTg=="', '"!"']),
        st.deferred(lambda: payloads()).map(
            lambda text: json.dumps(base64.b64encode(text.encode()).decode())
        ),
    ),
    "deadletterreason": st.just('"another"'),
    "fault": hostile,
    "original": hostile,
}


@st.composite
def events(
    draw: st.DrawFn,
    types: tuple[str, ...] = ("widget.v1",),
    data: st.SearchStrategy[str] | None = None,
) -> str:
    """A CloudEvent in structured JSON, mostly."""
    good = draw(attributes(types)) | {"data": draw(payloads() if data is None else data)}
    return draw(_changed(good, _ODD_ATTRIBUTES))


@st.composite
def versions(draw: st.DrawFn) -> str:
    """A good event, of one of two items."""
    payload = {
        "id": draw(st.sampled_from(['"a"', '"b"'])),
        "description": json.dumps(draw(st.text(characters, max_size=5))),
        "price": draw(st.decimals(0, 10**9, places=3).map(str)),
    }
    timed = draw(attributes(("widget.v1",))) | {"time": draw(good_times)}
    return text((*timed.items(), ("data", text(tuple(payload.items())))))


def packs() -> st.SearchStrategy[str]:
    """A pack of parked events, mostly, as the data of the event that carries it."""
    good = st.lists(events(), min_size=1, max_size=3)
    members = _weighted(good, good, st.lists(events() | hostile, max_size=4))
    listed = members.map(lambda each: f"[{','.join(each)}]")
    return st.builds(
        lambda members: f'{{"reason":"down","events":{members}}}', _weighted(listed, listed, hostile)
    )


@st.composite
def spoilt(draw: st.DrawFn, whole: str) -> bytes:
    """Cut off, or with bytes put in; not where it is too deep for the judge to say what that makes of it."""
    raw = whole.encode()
    if "[" * 40 in whole or '{"a":' * 40 in whole:
        return raw
    place = draw(st.integers(0, len(raw)))
    inserted = draw(st.binary(max_size=4) | st.sampled_from(parts.STRAY))
    return raw[:place] + inserted + (raw[place:] if draw(st.booleans()) else b"")


def bodies(of: st.SearchStrategy[str]) -> st.SearchStrategy[bytes]:
    """Mostly as they are, some spoilt, some not even that."""
    whole = of.map(str.encode)
    return _weighted(whole, whole, whole, of.flatmap(spoilt), hostile.map(str.encode), st.binary(max_size=64))
