"""The metrics of both services, for Prometheus."""

from collections.abc import Callable
from functools import cache, partial
from typing import NamedTuple

from prometheus_client import Counter, Gauge, Histogram

EVENTS = Counter("dapr_hero_events_total", "Events handled, by path and verdict", ["path", "verdict"])
BATCH_SIZE = Histogram(
    "dapr_hero_batch_events",
    "Events in one batch",
    ["path"],
    buckets=(1, 2, 5, 10, 20, 50, 100, 200, 300, 400, 500),
)
HANDLING_SECONDS = Histogram("dapr_hero_handling_seconds", "Time to handle one delivery", ["path"])
REQUESTS = Counter(
    "dapr_hero_requests_total", "REST requests, by resource and status", ["resource", "status"]
)
CIRCUIT_CLOSED = Gauge(
    "dapr_hero_circuit_closed", "1: calls pass; 0: they fail at once", ["store", "operation"]
)


class OfPath(NamedTuple):
    """The metrics of the deliveries on one path."""

    seconds: Histogram
    batch_size: Histogram
    events: Callable[[str], Counter]
    """By verdict."""


@cache  # to look up labels costs more than to count; there are few paths
def of_path(path: str) -> OfPath:
    """Return the metrics of one path."""
    events = cache(partial(EVENTS.labels, path))
    return OfPath(HANDLING_SECONDS.labels(path), BATCH_SIZE.labels(path), events)
