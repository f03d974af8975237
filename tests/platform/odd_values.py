"""Members of events with values of every kind, under names that are known and names that are not."""

import json
import random
from collections.abc import Iterator

from dapr_hero.contract.kinds import KINDS
from tests.events import event
from tests.fuzz import parts

TYPES = tuple(kind.type for kind in KINDS)
# The members that CloudEvents or Dapr know, and some others.
NAMES = [
    *("id", "source", "specversion", "type", "datacontenttype", "time", "data", "data_base64", "dataschema"),
    *("subject", "traceid", "traceparent", "tracestate", "topic", "pubsubname", "expiration", "entries"),
    *("deadletterreason", "fault", "original", "Type", "DATA", "", "a.b", "é\x1b[31m", "x" * 300),
]
_DEEP = ["[" * levels + "]" * levels for levels in (30, 200, 5000, 20_000)]
VALUES = [
    *("null", "true", "false", "{}", "[]", "[null]", '{"a":{"b":[1,"c",null]}}', '{"id":1,"id":2}', '"e30="'),
    *(number for number in parts.NUMBERS if number[0] in "-0123456789" and len(number) < 100),
    *parts.STRINGS,
    *(json.dumps(time) for time in (*parts.GOOD_TIMES, *parts.TIMES)),
    *(json.dumps(kind) for kind in (*parts.CONTENT_TYPES, *parts.BAD_CONTENT_TYPES)),
    *(
        json.dumps(code)
        for code in ("\x1b[31m\x9b2J\x07\r", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
    ),
    *_DEEP,
]


def every() -> Iterator[dict[str, str]]:
    """Yield one member of each kind of value under each name."""
    kinds = ["null", "true", "7", "-1.5e300", '""', '"text"', '"\\u0000"', "[1]", '{"a":null}', _DEEP[0]]
    for name in NAMES:
        for value in kinds:
            yield {name: value}


def at_random(seed: str, count: int) -> Iterator[dict[str, str]]:
    """Yield up to three members of any value, the same ones for each seed."""
    chance = random.Random(seed)  # noqa: S311
    for _ in range(count):
        yield {name: chance.choice(VALUES) for name in chance.sample(NAMES, chance.choice([1, 1, 2, 3]))}


def odd_event(type: str, marker: str, members: dict[str, str]) -> bytes:
    """Return a good event but for these members. It is marked, and so is its item."""
    good = event(type, marker, marker=marker)
    texts = {name: json.dumps(value) for name, value in good.items()} | members
    return ("{" + ",".join(f"{json.dumps(name)}:{value}" for name, value in texts.items()) + "}").encode()
