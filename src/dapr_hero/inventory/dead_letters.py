"""The dead letters: events that could not be stored, kept in PostgreSQL until a user replays or discards them."""

import hashlib
import re
from datetime import datetime
from typing import Any, NamedTuple

import asyncpg
import msgspec

from dapr_hero.contract import items
from dapr_hero.contract.dead_letter import DeadLetter, DeadLetterState, Page
from dapr_hero.contract.events import CloudEvent
from dapr_hero.inventory.database import Database
from dapr_hero.inventory.side_topics import SideTopics
from dapr_hero.service.problems import BadRequest, NotFound

# What Dapr, and `publish_dead_letter`, add to an event on its way:
# https://docs.dapr.io/developing-applications/building-blocks/pubsub/pubsub-cloudevents/
_DAPR_ATTRIBUTES = {"topic", "pubsubname", "expiration", "deadletterreason"}
_OF_THE_TRACE = {"traceid", "traceparent", "tracestate"}
_COLUMNS = "key, state, reason, event_id, event_type, traceparent, attempts, first_at, last_at"


_NOT_PUBLISHABLE = "this dead letter is not a CloudEvent and cannot be replayed; discard it instead"


_NOT_FOUND = "there is no such dead letter"
# A key, or enough of its beginning.
_KEY = re.compile("[0-9a-f]{4,32}")


class Place(NamedTuple):
    """The place of a dead letter in the list."""

    last_at: datetime
    key: str


class DeadLetters:
    """The table of dead letters. All methods raise Unavailable when PostgreSQL is unavailable."""

    def __init__(self, database: Database, side_topics: SideTopics) -> None:
        self._database = database
        self._side_topics = side_topics

    async def keep(self, event: CloudEvent, reason: str) -> None:
        """Durable when this returns; the same event again changes only the reason and the time."""
        original = event.original()
        await self._database.fetch(
            """
            INSERT INTO dead_letters (key, state, reason, event_id, event_type, traceparent, original)
            VALUES ($1, 'kept', $2, $3, $4, $5, $6)
            ON CONFLICT (key) DO UPDATE SET state = 'kept', reason = excluded.reason, last_at = now()
            """,
            _key(original),
            reason,
            *(_text(each) for each in (event.id, event.type, event.traceparent)),
            original,
        )

    async def page(self, state: DeadLetterState, limit: int, after: Place | None = None) -> Page:
        """Return up to `limit` dead letters in this state that follow this place, latest first."""
        rows = await self._database.fetch(
            f"""
            SELECT {_COLUMNS} FROM dead_letters
            WHERE state = $1 AND ($3::timestamptz IS NULL OR (last_at, key) < ($3, $4))
            ORDER BY last_at DESC, key DESC LIMIT $2
            """,  # noqa: S608
            state,
            limit,
            *(after or (None, None)),
        )
        [count] = await self._database.fetch("SELECT count(*) FROM dead_letters WHERE state = $1", state)
        last = rows[-1] if len(rows) == limit else None
        place = f"{last['last_at'].isoformat()}/{last['key']}" if last else None
        return Page(count["count"], [_letter(row) for row in rows], place)

    async def get(self, key: str) -> DeadLetter:
        """Return one letter with its original event. Raises: NotFound, BadRequest."""
        row = await self._row(key)
        return _letter(row, original=row["original"].decode(errors="replace"))

    async def replay(self, key: str) -> DeadLetter:
        """Publish the event again; return the letter as it is then.

        A letter that was replayed and has not come back is left as it is. The letter is marked only after the
        publication: wherever this is interrupted, it is still there to be replayed, and a second publication
        of one event changes nothing. A letter that has come back in the meantime stays kept.
        Raises: NotFound, BadRequest for a letter that is not a CloudEvent, Unavailable.
        """
        row = await self._row(key)
        event = _publishable(row["original"])
        if row["state"] != DeadLetterState.REPLAYED:
            await self._side_topics.resume(event)
            await self._database.fetch(
                """
                UPDATE dead_letters SET attempts = attempts + 1,
                    state = CASE WHEN last_at = $2 THEN 'replayed' ELSE state END
                WHERE key = $1
                """,
                row["key"],
                row["last_at"],
            )
        return await self.get(row["key"])

    async def discard(self, key: str) -> None:
        """Delete the letter. Raises: NotFound, BadRequest."""
        whole = (await self._row(key))["key"]
        await self._database.fetch("DELETE FROM dead_letters WHERE key = $1", whole)

    async def _row(self, key: str) -> asyncpg.Record:
        """Return the letter whose key is, or begins with, the given text.

        Raises: NotFound; BadRequest if several begin with it.
        """
        if not _KEY.fullmatch(key):
            raise NotFound(_NOT_FOUND)
        query = f"SELECT {_COLUMNS}, original FROM dead_letters WHERE key LIKE $1 ORDER BY key LIMIT 6"  # noqa: S608
        rows = await self._database.fetch(query, f"{key}%")
        if not rows:
            raise NotFound(_NOT_FOUND)
        if len(rows) > 1:
            raise BadRequest(
                f"several dead letters begin with {key}: {', '.join(row['key'] for row in rows)}"
            )
        return rows[0]


def _letter(row: asyncpg.Record, **more: str) -> DeadLetter:
    return DeadLetter(**{**row, "state": DeadLetterState(row["state"]), **more})


def _key(original: bytes) -> str:
    try:
        whole = msgspec.json.decode(original, type=dict[str, Any])
        own = {name: value for name, value in whole.items() if name not in _DAPR_ATTRIBUTES | _OF_THE_TRACE}
        content = msgspec.json.encode(own, order="deterministic")
    except items.NOT_JSON:
        content = original
    return hashlib.sha256(content).hexdigest()[:32]


def _publishable(original: bytes) -> bytes:
    try:
        whole = msgspec.json.decode(original, type=dict[str, msgspec.Raw])
    except items.NOT_JSON:
        raise BadRequest(
            "this dead letter is not a CloudEvent and cannot be replayed; discard it instead"
        ) from None
    return msgspec.json.encode({name: value for name, value in whole.items() if name not in _DAPR_ATTRIBUTES})


def _text(attribute: object) -> str | None:
    """Return a value for a text column, without the character NUL."""
    return attribute[:200].replace("\0", "") if isinstance(attribute, str) and attribute else None
