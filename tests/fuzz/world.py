"""The dependencies of the handlers: stores, a broker and a table in memory, each up or down as a test says.

They refuse what the real ones refuse, with the same errors, and hold all that they are given.
"""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple, cast

from hypothesis import strategies as st

from dapr_hero.contract.errors import Unavailable
from dapr_hero.contract.events import CloudEvent
from dapr_hero.contract.items import Version
from dapr_hero.contract.kinds import KINDS
from dapr_hero.inventory.database import Database
from dapr_hero.inventory.dead_letters import DeadLetters
from dapr_hero.inventory.handlers import Handlers
from dapr_hero.inventory.side_topics import SideTopics
from dapr_hero.settings import Settings
from dapr_hero.sidecar.interface import Sidecar


class Down(NamedTuple):
    """The dependencies that do not answer."""

    stores: bool = False
    broker: bool = False
    letters: bool = False


downs = st.just(Down()) | st.builds(Down, st.booleans(), st.booleans(), st.booleans())


class Store:
    """The newest version of each item."""

    def __init__(self, down: bool) -> None:
        self._down = down
        self.versions: dict[str, Version] = {}

    async def save(self, versions: list[Version], patience_seconds: float) -> None:
        if self._down:
            raise Unavailable("store")
        for version in versions:
            _check_text(version.item.id, version.item.description, version.stamp)
        if len({version.item.id for version in versions}) < len(versions):
            raise ValueError("cannot affect a row a second time")
        for version in versions:
            known = self.versions.get(version.item.id)
            if known is None or known.stamp < version.stamp:
                self.versions[version.item.id] = version


class Broker:
    """The published messages, by topic."""

    def __init__(self, down: bool) -> None:
        self._down = down
        self.topics: dict[str, list[bytes]] = {}

    async def publish(self, pubsub: str, topic: str, event: bytes) -> None:
        if self._down:
            raise Unavailable(pubsub)
        # daprd refuses what is no JSON object, and would quietly alter what is not UTF-8.
        if not event.decode().startswith("{"):
            raise Unavailable(pubsub)
        self.topics.setdefault(topic, []).append(event)


class Table(Database):
    """The table of the dead letters: the originals that were kept."""

    def __init__(self, down: bool) -> None:
        self._down = down
        self.originals: list[bytes] = []

    async def fetch(self, query: str, *arguments: object) -> list[Any]:
        if self._down:
            raise Unavailable("postgresql")
        *texts, original = arguments
        _check_text(*(text for text in texts if isinstance(text, str)))
        assert isinstance(original, bytes)
        self.originals.append(original)
        return []


class World:
    """Handlers in front of all of them."""

    def __init__(self, settings: Settings, down: Down | None = None) -> None:
        self.down = down or Down()
        self.stores = {kind.resource: Store(self.down.stores) for kind in KINDS}
        self.table = Table(self.down.letters)
        self._broker = Broker(self.down.broker)
        self._settings = settings
        side_topics = SideTopics(cast(Sidecar, self._broker), settings)
        saves = {resource: store.save for resource, store in self.stores.items()}
        self.handlers = Handlers(saves, side_topics, DeadLetters(self.table, side_topics), _known)

    @property
    def dead_letters(self) -> Sequence[bytes]:
        return self._broker.topics.get(self._settings.dead_letter_topic, [])

    def parked(self, resource: str) -> list[Any]:
        """The events of all packs that wait for this store."""
        packs = self._broker.topics.get(f"{self._settings.pubsub_topic}-parked-{resource}", [])
        return [event for pack in packs for event in json.loads(pack)["data"]["events"]]

    @property
    def is_empty(self) -> bool:
        stored = any(store.versions for store in self.stores.values())
        return not (stored or self._broker.topics or self.table.originals)


async def _known(_: CloudEvent) -> None:
    """The subscription in force is that of the code."""


def answered(world: World, answers: Sequence[str]) -> list[str]:
    """The answers to a delivery, in the words of the tally."""
    rejected = min(len(world.dead_letters) + len(world.table.originals), answers.count("SUCCESS"))
    accepted = answers.count("SUCCESS") - rejected
    return ["rejected"] * rejected + ["accepted"] * accepted + ["later"] * answers.count("RETRY")


def _check_text(*texts: str) -> None:
    """As PostgreSQL does, whose texts hold no NUL and are UTF-8. Raises: ValueError."""
    for text in texts:
        if b"\0" in text.encode():
            raise ValueError("invalid byte sequence for encoding")
