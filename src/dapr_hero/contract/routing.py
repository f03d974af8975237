"""The topics, and the subscriptions through which daprd delivers their events to inventory."""

from typing import Any, NamedTuple

from dapr_hero.contract.kinds import DEFAULT, KINDS, Kind

DEAD_LETTERS_PATH = "/dead-letters"


class Topic(NamedTuple):
    """A topic and the pub/sub component through which it is published and received."""

    pubsub: str
    name: str


class Topics(NamedTuple):
    """The names from which every topic and its component follow."""

    pubsub: str
    events_name: str
    dead_letters_name: str

    @property
    def events(self) -> Topic:
        """The topic of new events."""
        return Topic(self.pubsub, self.events_name)

    @property
    def dead_letters(self) -> Topic:
        """The dead-letter topic, as the app publishes to it."""
        return Topic(self.pubsub, self.dead_letters_name)

    @property
    def received_dead_letters(self) -> Topic:
        """The dead-letter topic, as the app reads it: through its own component."""
        return Topic(f"{self.pubsub}-dead-letters", self.dead_letters_name)

    def parked(self, resource: str) -> Topic:
        """Return the topic of events that wait for the store of this resource. Its component is its own too."""
        suffix = f"parked-{resource}"
        return Topic(f"{self.pubsub}-{suffix}", f"{self.events_name}-{suffix}")


class Bulk(NamedTuple):
    """Delivery in batches of up to `max_messages` events."""

    max_messages: int = 500
    # The longest time that daprd waits for more events; a single event is delivered almost at once.
    max_await_milliseconds: int = 1


class Subscription(NamedTuple):
    """A topic, and the paths on which daprd delivers its events to inventory."""

    topic: Topic
    default_path: str
    rules: tuple[Kind, ...] = ()
    dead_letter_topic: str = ""
    bulk: Bulk | None = None
    # The messages of the topic may be anything, CloudEvents or not: https://docs.dapr.io/developing-applications/building-blocks/pubsub/pubsub-raw/
    raw: bool = False

    @property
    def paths(self) -> list[str]:
        """The paths of all rules, then the default path."""
        return [*(rule.path for rule in self.rules), self.default_path]

    def as_json(self) -> dict[str, Any]:
        """Return the entry for the response to GET /dapr/subscribe: https://docs.dapr.io/reference/api/pubsub_api/"""
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
        """The metadata of the subscription, as Dapr names it."""
        return {"rawPayload": "true"} if self.raw else {}


def subscriptions(topics: Topics, *, in_bulk: bool = True) -> list[Subscription]:
    """Return the subscriptions of inventory: new events, parked events per resource, and dead letters."""
    rules = tuple(kind for kind in KINDS if kind is not DEFAULT)
    fresh = Subscription(
        topics.events, DEFAULT.path, rules, topics.dead_letters_name, Bulk() if in_bulk else None
    )
    parked = [Subscription(topics.parked(each.resource), each.parked_path, raw=True) for each in KINDS]
    return [fresh, *parked, Subscription(topics.received_dead_letters, DEAD_LETTERS_PATH, raw=True)]
