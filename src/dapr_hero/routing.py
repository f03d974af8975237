"""THE table: which type of event goes where. Every form of the subscription is derived from it."""

from typing import Any, NamedTuple

from dapr_hero.settings import Settings


class Route(NamedTuple):
    """Events of one type, or of every type that no other route takes, and the resource they become."""

    type: str | None
    path: str
    resource: str

    @property
    def match(self) -> str:
        """The rule in Common Expression Language, as Dapr evaluates it; "" matches all."""
        return f'event.type == "{self.type}"' if self.type else ""


ROUTES = (
    Route("widget.v1", "/widgets.v1", "widgets"),
    Route("gadget.v1", "/gadgets.v1", "gadgets"),
    Route(None, "/products.v1", "products"),
)
DEFAULT = next(route for route in ROUTES if route.type is None)


def path_for(event_type: object) -> str:
    """Where an event of this type goes when no rule of Dapr's has said so."""
    return next((route.path for route in ROUTES if route.type and route.type == event_type), DEFAULT.path)


class Subscription(NamedTuple):
    """What inventory asks Dapr for: one topic, routed by the table, in batches, with dead letters."""

    pubsub: str
    topic: str
    dead_letter_topic: str
    routes: tuple[Route, ...] = ROUTES
    bulk_max_messages: int = 100
    # daprd holds a batch back at most this long, so that a lone event waits for nobody.
    bulk_max_await_milliseconds: int = 1

    @classmethod
    def of(cls, settings: Settings) -> "Subscription":
        return cls(settings.pubsub_name, settings.pubsub_topic, settings.dead_letter_topic)

    def as_json(self) -> dict[str, Any]:
        """The answer to GET /dapr/subscribe: https://docs.dapr.io/reference/api/pubsub_api/"""
        return {
            "pubsubname": self.pubsub,
            "topic": self.topic,
            "deadLetterTopic": self.dead_letter_topic,
            "routes": {
                "rules": [{"match": route.match, "path": route.path} for route in self.routes if route.type],
                "default": DEFAULT.path,
            },
            "bulkSubscribe": {
                "enabled": True,
                "maxMessagesCount": self.bulk_max_messages,
                "maxAwaitDurationMs": self.bulk_max_await_milliseconds,
            },
        }
