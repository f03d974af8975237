"""The contract for events, implemented a second time: it shares no line with the code that it judges."""

import base64
import json
import re
from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from math import isinf
from typing import Any, NamedTuple

from dapr_hero.contract.items import Item


class Quality(Enum):
    GOOD = "must be stored"
    BAD = "must be kept as a dead letter"
    # Too deep for Python, two members of one name, a number beyond all doubles, half a surrogate pair,
    # bytes that are not UTF-8 in an unread member: JSON does not define them.
    EITHER = "one of both"


class Judged(NamedTuple):
    """An event. `raw` is what was sent of it, `whole` what that says, None when it is no JSON object.

    `order` tells which of two is newer. `odd`: JSON leaves open what it says. `withheld`: daprd has handed
    over only a part of it, so that only daprd can move it to the dead letters.
    """

    quality: Quality
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
_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))", re.ASCII
)
_NUMBER = re.compile(r"(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?", re.ASCII)


def read(raw: bytes) -> Any:
    """Return the value of a JSON text of any depth. Raises: ValueError."""
    text = shallow(raw).decode()
    return json.loads(
        text, parse_float=Number, parse_int=Number, parse_constant=_refuse, object_pairs_hook=_pairs
    )


def shallow(raw: bytes) -> bytes:
    """The same with a word in the place of each nest that is too deep for Python's own reader."""
    return _DEEP.sub(_flat, raw)


def _flat(nest: re.Match[bytes]) -> bytes:
    """Return the text without its own brackets; strings stay, whatever is in them."""
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
        return Judged(Quality.BAD, raw, odd=odd, withheld=not raw)
    data, odd_data = _data(whole)
    return judge_parts(raw, whole, data, odd=odd or odd_data)


def _data(whole: dict[str, Any]) -> tuple[Any, bool]:
    """The payload; and whether JSON leaves open what it says."""
    data, encoded = whole.get("data"), whole.get("data_base64")
    if data is not None or not isinstance(encoded, str):
        return data, False
    if not re.fullmatch(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?", encoded):
        return None, False
    return read_loosely(base64.b64decode(encoded))


def read_loosely(raw: bytes) -> tuple[Any, bool]:
    """Return the value of a text to a lenient reader, None for nothing; and whether leniency is needed."""
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
        return Judged(Quality.BAD, raw, whole, odd=odd, withheld=withheld)
    if not isinstance(whole.get("traceparent", ""), str | None):
        odd = True
    return Judged(Quality.EITHER if odd else Quality.GOOD, raw, whole, item, order, odd, withheld)


def members(pack: Judged) -> list[Judged] | None:
    """The events in a pack; None for what is no pack, as one without any."""
    data = pack.whole.get("data") if pack.whole else None
    listed = data.get("events") if isinstance(data, dict) else None
    if not isinstance(listed, list) or not listed or not all(isinstance(each, dict) for each in listed):
        return None
    read = [(each, *_data(each)) for each in listed]
    return [judge_parts(b"", each, data, odd=odd) for each, data, odd in read]


def _attributes_are_good(whole: Mapping[str, Any]) -> bool:
    texts = [whole.get(name) for name in ("id", "source", "specversion", "type")]
    if not all(isinstance(text, str) and 1 <= len(text) <= 1024 and "\0" not in text for text in texts):
        return False
    content_type = whole.get("datacontenttype")
    if content_type is None:
        return True
    return isinstance(content_type, str) and bool(
        re.fullmatch(r"[^/]+/(json|.*\+json)", content_type.partition(";")[0].strip(), re.I | re.S)
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
    parts = _TIME.fullmatch(time) if isinstance(time, str) else None
    if not parts:
        return None
    year, month, day, hour, minute, second, hours, minutes = (
        int(parts[n] or 0) for n in (1, 2, 3, 4, 5, 6, 9, 10)
    )
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    length = {2: 29 if leap else 28, 4: 30, 6: 30, 9: 30, 11: 30}.get(month, 31)
    if not (1 <= month <= 12 and 1 <= day <= length and hour < 24 and minute < 60 and second <= 60):
        return None
    if not (hours < 24 and minutes < 60):
        return None
    offset = (60 * hours + minutes) * (-1 if parts[8] == "-" else 1)
    moment = 1440 * _days(year, month, day) + 60 * hour + minute - offset
    month_ends = {1440 * _days(y, m, 1) - 1 for y in (year - 1, year, year + 1) for m in range(1, 13)}
    if second == 60 and moment not in month_ends:
        return None
    return f"{moment + 10**9:010}{second:02}{parts[7] or '':0<9}"[:21], id


def _days(year: int, month: int, day: int) -> int:
    """The number of the day, counted in years that begin in March."""
    if month <= 2:
        year, month = year - 1, month + 12
    return 365 * year + year // 4 - year // 100 + year // 400 + (153 * month - 457) // 5 + day


def _refuse(constant: str) -> Any:
    raise ValueError(f"JSON has no {constant}")


def _pairs(pairs: list[tuple[str, Any]]) -> Pairs:
    whole = Pairs(pairs)
    whole.repeated = len(whole) < len(pairs)
    return whole


def _is_loose(value: Any) -> bool:
    """Return whether two members have one name, or a number exceeds a double."""
    if isinstance(value, Pairs):
        return value.repeated or any(map(_is_loose, value.values()))
    if isinstance(value, list):
        return any(map(_is_loose, value))
    return isinstance(value, Number) and isinf(value)
