"""THE table: which type of event goes where. Every form of every subscription is derived from it."""

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

    @property
    def parked_path(self) -> str:
        """Where the events of this route come back that waited for their store."""
        return f"/parked/{self.resource}"


ROUTES = (
    Route("widget.v1", "/widgets.v1", "widgets"),
    Route("gadget.v1", "/gadgets.v1", "gadgets"),
    Route(None, "/products.v1", "products"),
)
DEFAULT = next(route for route in ROUTES if route.type is None)
DEAD_LETTERS_PATH = "/dead-letters"


def route_for(event_type: object) -> Route:
    """Where an event of this type goes when no rule of Dapr's has said so."""
    return next((route for route in ROUTES if route.type and route.type == event_type), DEFAULT)


class Topic(NamedTuple):
    """A topic and the pub/sub component through which it is published and received."""

    pubsub: str
    name: str

    @classmethod
    def of_parked(cls, settings: Settings, resource: str) -> "Topic":
        """Where events wait for the store of this resource, in a component of their own: they wait alone."""
        suffix = f"parked-{resource}"
        return cls(f"{settings.pubsub_name}-{suffix}", f"{settings.pubsub_topic}-{suffix}")


class Bulk(NamedTuple):
    """Events come in batches of up to `max_messages`."""

    max_messages: int = 500
    # daprd holds a batch back at most this long, so that a lone event waits for nobody.
    max_await_milliseconds: int = 1


class Subscription(NamedTuple):
    """What inventory asks Dapr for: one topic, and the paths on which its events are delivered."""

    topic: Topic
    default_path: str
    rules: tuple[Route, ...] = ()
    dead_letter_topic: str = ""
    bulk: Bulk | None = None
    # Whatever is in the topic, be it a CloudEvent or not: https://docs.dapr.io/developing-applications/building-blocks/pubsub/pubsub-raw/
    raw: bool = False

    @property
    def paths(self) -> list[str]:
        return [*(rule.path for rule in self.rules), self.default_path]

    def as_json(self) -> dict[str, Any]:
        """An entry of the answer to GET /dapr/subscribe: https://docs.dapr.io/reference/api/pubsub_api/"""
        whole: dict[str, Any] = {
            "pubsubname": self.topic.pubsub,
            "topic": self.topic.name,
            "routes": {
                "rules": [{"match": rule.match, "path": rule.path} for rule in self.rules],
                "default": self.default_path,
            },
            "metadata": self.metadata,
        }
        if self.dead_letter_topic:
            whole["deadLetterTopic"] = self.dead_letter_topic
        if self.bulk:
            whole["bulkSubscribe"] = {
                "enabled": True,
                "maxMessagesCount": self.bulk.max_messages,
                "maxAwaitDurationMs": self.bulk.max_await_milliseconds,
            }
        return whole

    @property
    def metadata(self) -> dict[str, str]:
        return {"rawPayload": "true"} if self.raw else {}


def subscriptions(settings: Settings) -> list[Subscription]:
    """The events, those that were parked, one topic for each resource, and the dead letters."""
    fresh = Subscription(
        Topic(settings.pubsub_name, settings.pubsub_topic),
        DEFAULT.path,
        tuple(route for route in ROUTES if route.type),
        settings.dead_letter_topic,
        Bulk(),
    )
    parked = [
        Subscription(Topic.of_parked(settings, each.resource), each.parked_path, raw=True) for each in ROUTES
    ]
    letters = Topic(f"{settings.pubsub_name}-dead-letters", settings.dead_letter_topic)
    return [fresh, *parked, Subscription(letters, DEAD_LETTERS_PATH, raw=True)]
