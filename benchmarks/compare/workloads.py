"""The workloads: events of some kinds, and the items that they must leave in the stores."""

import secrets
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from dapr_hero.contract.items import encode
from dapr_hero.contract.kinds import Kind


class Stored(NamedTuple):
    """The stored fields of an item, its price as text."""

    description: str
    price: str


class Workload(NamedTuple):
    """Events of one kind, or of several in turn. Each event creates a new item."""

    name: str
    kinds: tuple[Kind, ...]
    total: int
    prefix: str
    """Of the ids, so that no two workloads share an item."""

    def events(self) -> Iterator[dict[str, object]]:
        """Yield the CloudEvents."""
        for number in range(self.total):
            yield event(self.kinds[number % len(self.kinds)], self._id(number), number)

    def expected(self) -> Mapping[Kind, dict[str, Stored]]:
        """Return the items that must be stored, by kind and id."""
        found: dict[Kind, dict[str, Stored]] = {kind: {} for kind in self.kinds}
        for number in range(self.total):
            kind = self.kinds[number % len(self.kinds)]
            found[kind][self._id(number)] = Stored(_description(number), f"{number}.25")
        return found

    def _id(self, number: int) -> str:
        return f"{self.prefix}-{number}"


def event(kind: Kind, id: str, number: int = 0) -> dict[str, object]:
    """Return a CloudEvent that creates one item."""
    return {
        "specversion": "1.0",
        "id": f"event-{id}",
        "source": "dapr-hero-compare",
        "type": kind.type,
        "time": "2026-01-01T00:00:00Z",
        "datacontenttype": "application/json",
        # As daprd adds it to each event that it publishes.
        "traceparent": f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01",
        # A quarter is exact in binary too.
        "data": {"id": id, "description": _description(number), "price": number + 0.25},
    }


def _description(number: int) -> str:
    return f"item {number} of a comparison of four modes"


def encoded(kind: Kind, id: str) -> bytes:
    """Return the CloudEvent as it is published."""
    return encode(event(kind, id))
