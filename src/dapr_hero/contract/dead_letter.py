"""A dead letter, as the private API shows it and its client reads it."""

from datetime import datetime
from enum import StrEnum

import msgspec


class DeadLetterState(StrEnum):
    """The state of a dead letter: awaiting a decision (kept) or published again (replayed)."""

    KEPT = "kept"
    REPLAYED = "replayed"


class DeadLetter(msgspec.Struct, frozen=True, omit_defaults=True):
    """An event that could not be stored. `attempts` counts how often it was handled, replays included.

    `original` is the event as it came, in a letter that was asked for alone.
    """

    key: str
    state: DeadLetterState
    reason: str
    event_id: str | None
    event_type: str | None
    traceparent: str | None
    attempts: int
    first_at: datetime
    last_at: datetime
    original: str | None = None


class Page(msgspec.Struct, frozen=True, omit_defaults=True):
    """A page of dead letters, latest first, with their total number and the start of the next page."""

    total: int
    letters: list[DeadLetter]
    next: str | None = None
