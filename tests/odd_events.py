"""Events that senders really send, and what becomes of each by the contract, whatever the mode."""

import base64
import json
from typing import Any

from tests.events import event

_NO_TEXTS: tuple[Any, ...] = (7, 1.5, True, [], {"a": 1})
_TIMES = ["2016-12-31T23:59:60Z", "1990-12-31T15:59:60-08:00", "0000-01-01T00:00:00+01:00"]


def _base64(payload: Any) -> str:
    return base64.b64encode(json.dumps(payload).encode()).decode()


def _item(id: str) -> dict[str, Any]:
    return {"id": id, "description": f"about {id}", "price": 9.5}


def _without(name: str) -> dict[str, Any]:
    whole = event()
    del whole[name]
    return whole


def _encoded(id: str, **attributes: Any) -> dict[str, Any]:
    """An event with its data in Base64."""
    return event(id=id, **{"data": None, "data_base64": _base64(_item(id)), **attributes})


def reported(suffix: str = "") -> dict[str, dict[str, Any]]:
    """Return the valid events of bug reports, by the ids of their items."""
    plus, encoded, untyped, leap = (f"{name}{suffix}" for name in ("plus", "b64", "nodct", "leap"))
    return {
        plus: event(id=plus, datacontenttype="application/vnd.acme+json"),
        encoded: _encoded(encoded),
        untyped: event(id=untyped, datacontenttype=None, time=None),
        leap: event(id=leap, time="2016-12-31T23:59:60Z"),
    }


TERMINAL_CODES = event(id="esc", price=-1, type="widget.v1\x1b[31mRED\x1b]0;pwned\x07\x9b2J\rX")

# Stored, as the item whose id is the name.
STORED: dict[str, dict[str, Any]] = {
    **reported(),
    **{f"time {time}": event(id=f"time {time}", time=time) for time in _TIMES},
    **{
        f"type {kind}": event(id=f"type {kind}", datacontenttype=kind)
        for kind in (
            *("application/json ; charset=utf-8", "Application/JSON;charset=utf-8", "text/json"),
            *("application/cloudevents+json", "application/x+json;v=1", "image/x+JSON"),
        )
    },
    **{
        f"encoded {kind}": _encoded(f"encoded {kind}", datacontenttype=kind)
        for kind in ("application/x+json", "text/json", None)
    },
    "null type": event(id="null type") | {"datacontenttype": None},
    "null time": event(id="null time") | {"time": None},
    "null data": _encoded("null data") | {"data": None},
    "two data": event(id="two data", data_base64=_base64(_item("other"))),
    "null base64": event(id="null base64") | {"data_base64": None},
    **{
        f"{name} {value}": event(id=f"{name} {value}") | {name: value}
        for name in (
            "traceid",
            "traceparent",
            "tracestate",
            "subject",
            "dataschema",
            "topic",
            "more",
            "entries",
        )
        for value in (None, *_NO_TEXTS)
    },
    "expired": event(id="expired", expiration="2020-01-01T00:00:00Z"),
    "expires": event(id="expires", expiration=5),
}

# Kept as dead letters, with all that they say.
KEPT: dict[str, dict[str, Any]] = {
    "terminal codes": TERMINAL_CODES,
    **{
        f"{name} {value}": event() | {name: value}
        for name in ("id", "source", "type", "specversion", "datacontenttype")
        for value in ("", *_NO_TEXTS)
    },
    **{f"no {name}": _without(name) for name in ("id", "source", "type", "specversion", "data")},
    **{f"null {name}": event() | {name: None} for name in ("id", "source", "type", "specversion", "data")},
    **{f"time {value}": event() | {"time": value} for value in ("", "yesterday", *_NO_TEXTS)},
    "no leap second": event(time="2026-01-01T12:59:60Z"),
    **{f"data_base64 {value}": _encoded("x", data_base64=value) for value in ("", "!", "e30", *_NO_TEXTS)},
    "text": event(datacontenttype="text/plain", data="text"),
    "number in a text": event(datacontenttype="application/xml", data="5"),
    "JSON in a text": event(datacontenttype="text/json", data=json.dumps(_item("x"))),
    "object for a text": event(datacontenttype="text/plain"),
    "encoded text": _encoded("x", datacontenttype="text/plain"),
    "bytes": _encoded("x", datacontenttype="application/octet-stream"),
    "JSON for bytes": event(datacontenttype="application/octet-stream"),
    "bad price": event(price=-1),
    "bad price with numbers": event(price=-1, more=[5, 0.1, 1e300, {"a": 12345678901234567890}]),
    "bad price without a time": event(price=-1, time=None),
    "bad price in base64": _encoded("x", data_base64=_base64({**_item("x"), "price": -1})),
}

# What Dapr changes in an event on its way.
_OF_THE_WAY = {"topic", "pubsubname", "traceid", "traceparent", "tracestate", "deadletterreason"}


def says(whole: dict[str, Any]) -> dict[str, Any]:
    """Return what an event says, as Dapr has read its numbers, without what Dapr adds."""
    return {
        name: value for name, value in json.loads(json.dumps(whole), parse_int=float).items()
        if name not in _OF_THE_WAY
    }  # fmt: skip
