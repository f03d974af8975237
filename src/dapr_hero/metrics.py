"""What is counted and timed, in Prometheus' terms."""

from prometheus_client import Counter, Gauge, Histogram

EVENTS = Counter("dapr_hero_events_total", "Events handled, by route and verdict", ["route", "verdict"])
BATCH_SIZE = Histogram(
    "dapr_hero_batch_events", "Events in one delivery", ["route"], buckets=(1, 2, 5, 10, 20, 50, 100, 200)
)
HANDLING_SECONDS = Histogram("dapr_hero_handling_seconds", "Time to handle one delivery", ["route"])
REQUESTS = Counter(
    "dapr_hero_requests_total", "REST requests, by resource and status", ["resource", "status"]
)
STORE_ANSWERS = Gauge("dapr_hero_store_answers", "1: the store answers; 0: it is left alone", ["store"])
