"""The subscriptions in force, as daprd reports them. They can name paths that this version does not know."""

import asyncio
import re
import time
from collections.abc import Collection, Sequence

import aiohttp
import msgspec

from dapr_hero.contract import items
from dapr_hero.contract.errors import Unavailable
from dapr_hero.contract.events import CloudEvent
from dapr_hero.contract.routing import subscriptions
from dapr_hero.settings import Settings
from dapr_hero.sidecar import tokens


class Rule(msgspec.Struct, frozen=True):
    """A path, and the expression that an event must match to be delivered there; "" matches all."""

    path: str = ""
    match: str = ""


class _Subscription(msgspec.Struct):
    topic: str = ""
    dead_letter_topic: str = msgspec.field(default="", name="deadLetterTopic")
    rules: list[Rule] = []


class _Metadata(msgspec.Struct):
    subscriptions: list[_Subscription] = []


class _Origin(msgspec.Struct):
    topic: str = ""


_metadata = msgspec.json.Decoder(_Metadata)
_origin = msgspec.json.Decoder(_Origin)
_TYPE_IS = re.compile(r"""\s*event\.type\s*==\s*(?:"([^"\\]*)"|'([^'\\]*)')\s*""")
# Shorter than the retries of a delivery: a dead letter is judged by rules no older than its last attempt.
_FRESH_SECONDS = 1.0


class SubscriptionRules:
    """The rules by topic. They are read again when they are a second old: daprd reloads subscriptions."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        [fresh, *_] = subscriptions(settings.topics)
        # The last one is the route that the SDK's FastAPI extension registers.
        self._known_paths = {*fresh.paths, f"/{fresh.topic.name}"}
        self._rules: dict[str, list[Rule]] = {}
        self._read_at = float("-inf")
        self._lock = asyncio.Lock()

    async def unknown_path(self, letter: CloudEvent) -> str | None:
        """Return the path of an event's subscription, if this version does not know it. Raises: Unavailable.

        daprd notes the topic in the events that it publishes.
        """
        async with self._lock:
            now = time.monotonic()
            if now > self._read_at + _FRESH_SECONDS:
                self._rules = await self._read()
                self._read_at = now
        rules = self._rules.get(_topic(letter)) or self._rules.get(self._settings.pubsub_topic, [])
        return unknown_path(rules, letter.type, self._known_paths)

    async def _read(self) -> dict[str, list[Rule]]:
        """Read them from https://docs.dapr.io/reference/api/metadata_api/. Raises: Unavailable."""
        url = f"http://{self._settings.dapr_host}:{self._settings.dapr_http_port}/v1.0/metadata"
        timeout = aiohttp.ClientTimeout(total=self._settings.request_timeout_seconds)
        headers = tokens.to_daprd(self._settings)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout, headers=headers, raise_for_status=True) as session,
                session.get(url) as response,
            ):
                found = _metadata.decode(await response.read()).subscriptions
        except (aiohttp.ClientError, TimeoutError, msgspec.DecodeError):
            raise Unavailable("daprd") from None
        letters = self._settings.dead_letter_topic
        return {each.topic: each.rules for each in found if each.dead_letter_topic == letters}


def _topic(letter: CloudEvent) -> str:
    try:
        return _origin.decode(letter.original()).topic
    except items.NOT_JSON:
        return ""


def unknown_path(rules: Sequence[Rule], event_type: object, known_paths: Collection[str]) -> str | None:
    """Return the path of the first rule that takes the type, if it is not among `known_paths`.

    An expression other than `event.type == "..."` may take any event; on an unknown path it counts as if it
    did, so that the event is kept.
    """
    for rule in rules:
        type_is = _TYPE_IS.fullmatch(rule.match)
        known = rule.path in known_paths
        takes = not rule.match or ((type_is[1] or type_is[2]) == event_type if type_is else not known)
        if takes:
            return None if known else rule.path
    return None
