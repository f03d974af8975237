"""What the contract says of an event, read anew: by no line of the code that it judges."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from math import isinf
from typing import Any, NamedTuple

from dapr_hero.items import Item


class Kind(Enum):
    GOOD = "must be stored"
    BAD = "must be kept as a dead letter"
    # Too deep for Python, two members of one name, a number beyond all doubles, half a surrogate pair,
    # something that is not UTF-8 where nobody looks: JSON leaves open what these are.
    EITHER = "one of both"


class Judged(NamedTuple):
    """An event. `raw` is what was sent of it, `whole` what that says, None when it is no JSON object.

    `order` tells which of two is newer. `odd`: JSON leaves open what it says. `withheld`: daprd has kept the
    data to itself.
    """

    kind: Kind
    raw: bytes
    whole: dict[str, Any] | None = None
    item: Item | None = None
    order: tuple[str, str] = ("", "")
    odd: bool = False
    withheld: bool = False


class Number(float):
    """A number with the text that it was."""

    text: str

    def __new__(cls, text: str) -> "Number":
        number = super().__new__(cls, text)
        number.text = text
        return number


class Pairs(dict[str, Any]):
    """An object; the last of two members of one name stands."""

    repeated = False


_DEEP = re.compile(rb'(\[{40,})(\]{40,})|((?:\{"a":){40,})1(\}{40,})|"(?:[^"\\]|\\.)*+"', re.DOTALL)
_PAIR = re.compile(rb"\\u[dD][89abAB]..\\u[dD][c-fC-F]..")
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_ODD_TIME = re.compile(
    r"\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d|[Tt]\d\d:\d\d:60)(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)
_NUMBER = re.compile(r"(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?", re.ASCII)


def read(raw: bytes) -> Any:
    """What a JSON text says, however deep. Raises: ValueError."""
    text = shallow(raw).decode()
    return json.loads(
        text, parse_float=Number, parse_int=Number, parse_constant=_refuse, object_pairs_hook=_pairs
    )


def shallow(raw: bytes) -> bytes:
    """The same with a word in the place of each nest that is too deep for Python's own reader."""
    return _DEEP.sub(_flat, raw)


def _flat(nest: re.Match[bytes]) -> bytes:
    """Its neighbours' brackets, beside its own, stay; and so does a text, whatever is in it."""
    if nest[0].startswith(b'"'):
        return nest[0]
    opening = b"[" if nest[1] else b'{"a":'
    opened, closed = nest[1] or nest[3], nest[2] or nest[4]
    levels = min(len(opened) // len(opening), len(closed))
    return opened[levels * len(opening) :] + b'"%d levels"' % levels + closed[levels:]


def judge(raw: bytes) -> Judged:
    """An event in structured JSON."""
    whole, odd = read_loosely(raw)
    if not isinstance(whole, dict):
        return Judged(Kind.BAD, raw, odd=odd, withheld=not raw)
    return judge_parts(raw, whole, whole.get("data"), odd=odd)


def read_loosely(raw: bytes) -> tuple[Any, bool]:
    """What a text says if one is lenient, None for nothing; and whether one has to be."""
    readable = raw.decode(errors="replace").encode()
    odd = readable != raw or shallow(raw) != raw or bool(_SURROGATE.search(_PAIR.sub(b"", raw)))
    try:
        said = read(readable)
    except ValueError:
        return None, odd
    return said, odd or _is_loose(said)


def judge_parts(
    raw: bytes, whole: dict[str, Any], data: Any, *, odd: bool = False, withheld: bool = False
) -> Judged:
    """An event with these attributes and this payload."""
    item, order = _item(data), _order(whole)
    if item is None or order is None or not _attributes_are_good(whole):
        return Judged(Kind.BAD, raw, whole, odd=odd, withheld=withheld)
    if not isinstance(whole.get("traceparent", ""), str | None) or _ODD_TIME.fullmatch(
        whole.get("time") or ""
    ):
        odd = True
    return Judged(Kind.EITHER if odd else Kind.GOOD, raw, whole, item, order, odd, withheld)


def members(pack: Judged) -> list[Judged] | None:
    """The events in a pack; None for what is no pack, as one without any."""
    data = pack.whole.get("data") if pack.whole else None
    listed = data.get("events") if isinstance(data, dict) else None
    if not isinstance(listed, list) or not listed or not all(isinstance(each, dict) for each in listed):
        return None
    return [judge_parts(b"", each, each.get("data")) for each in listed]


def _attributes_are_good(whole: Mapping[str, Any]) -> bool:
    texts = [whole.get(name) for name in ("id", "source", "specversion", "type")]
    if not all(isinstance(text, str) and 1 <= len(text) <= 1024 and "\0" not in text for text in texts):
        return False
    content_type = whole.get("datacontenttype")
    return isinstance(content_type, str) and bool(
        re.fullmatch(r"application/(json|.*\+json)", content_type.partition(";")[0].strip(), re.I | re.S)
    )


def _item(data: Any) -> Item | None:
    if not isinstance(data, dict):
        return None
    id, description, price = (data.get(name) for name in ("id", "description", "price"))
    if not isinstance(id, str) or not isinstance(description, str) or not isinstance(price, Number):
        return None
    exact = _price(price.text)
    if exact is None or not 1 <= len(id) <= 256 or len(description) > 4000 or "\0" in id + description:
        return None
    return Item(id, description, exact)


def _price(text: str) -> Decimal | None:
    """By its digits: zero, or one of up to 15 of them from 1e-15 to 1e15."""
    number = _NUMBER.fullmatch(text)
    assert number, text
    fraction = number[3] or ""
    digits = (number[2] + fraction).lstrip("0")
    if not digits:
        return Decimal(0)
    exponent = int(number[4] or 0) - len(fraction) + len(digits) - len(digits.rstrip("0"))
    digits = digits.rstrip("0")
    magnitude = exponent + len(digits) - 1
    in_range = -15 <= magnitude <= 14 or (magnitude, digits) == (15, "1")
    return Decimal(f"{digits}e{exponent}") if in_range and len(digits) <= 15 and not number[1] else None


def _order(whole: Mapping[str, Any]) -> tuple[str, str] | None:
    """None for a time that is none. An event without one is older than all others."""
    time, id = whole.get("time"), str(whole.get("id"))
    if time is None:
        return "", id
    if not isinstance(time, str):
        return None
    if _ODD_TIME.fullmatch(time):
        return "~", id  # Who takes it, may take it for newer than all.
    parts = _TIME.fullmatch(time)
    if not parts:
        return None
    try:
        moment = datetime.fromisoformat(f"{parts[1]}T{parts[2]}{parts[4].upper()}").astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return f"{moment:%Y}".zfill(4) + f"{moment:-%m-%dT%H:%M:%S}.{parts[3] or '':0<9}"[:26], id


def _refuse(constant: str) -> Any:
    raise ValueError(f"JSON has no {constant}")


def _pairs(pairs: list[tuple[str, Any]]) -> Pairs:
    whole = Pairs(pairs)
    whole.repeated = len(whole) < len(pairs)
    return whole


def _is_loose(value: Any) -> bool:
    """Whether there are two members of one name, or a number that no double can hold."""
    if isinstance(value, Pairs):
        return value.repeated or any(map(_is_loose, value.values()))
    if isinstance(value, list):
        return any(map(_is_loose, value))
    return isinstance(value, Number) and isinf(value)
