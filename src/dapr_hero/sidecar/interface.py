"""The two interfaces that each mode implements: `Sidecar` for calls out and `Listener` for events in."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

from dapr_hero.contract.events import CloudEvent, Outcome

# Handles the events delivered on one path; returns one outcome per event, in the same order.
Deliver = Callable[[str, Sequence[CloudEvent]], Awaitable[list[Outcome]]]


class StateEntry(NamedTuple):
    """An entry of a state store. The etag is the store's version token."""

    key: str
    value: bytes  # JSON
    etag: str


# The etag that creates an entry which must not exist yet. Without an etag the Redis component also refuses an
# entry that another writer has created in the meantime, but with an error that daprd retries for seconds.
NO_ETAG = "0"


class Conflict(Exception):
    """An entry has changed since it was read, so it was not saved; other entries of the call may have been."""


class Sidecar(Protocol):
    """Calls from the app to its daprd.

    Every method raises Unavailable if daprd does not answer or a component is down, and Refused if the call
    itself can never succeed.
    """

    async def get_secret(self, store: str, key: str) -> Mapping[str, str]:
        """Return the values of a secret by their names."""

    async def get_states(self, store: str, keys: Sequence[str]) -> Mapping[str, StateEntry]:
        """Return the entries that exist, by key, in one round trip."""

    async def save_states(self, store: str, states: Sequence[StateEntry]) -> None:
        """Save all entries in one round trip, each only if its etag is still current.

        Raises:
            Conflict: if an entry has changed since it was read.
        """

    async def publish(self, pubsub: str, topic: str, event: bytes) -> None:
        """Publish a CloudEvent in structured JSON, unchanged."""

    async def close(self) -> None:
        """Close the connections to daprd."""


class Listener(Protocol):
    """The server on which daprd delivers events, on a private port."""

    async def stop(self) -> None:
        """Accept no further delivery, and answer the ones in progress."""
