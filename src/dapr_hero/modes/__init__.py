"""The four ways to talk to Dapr, behind two interfaces: calls out and events in.

Each mode is one module with `connect`, which returns its `Sidecar` (calls out), and `listen`, which returns
its `Listener` (events in). Two modes share each of the other modules: `http_calls` and `http_events` serve
both HTTP modes, `grpc_events` both gRPC modes, and `sdk_settings` both SDK modes.
"""

import asyncio
import importlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import NamedTuple, Protocol, cast

import aiohttp
import structlog

from dapr_hero import metrics, tokens
from dapr_hero.errors import Unavailable
from dapr_hero.events import CloudEvent, Outcome, Verdict
from dapr_hero.routing import Subscription
from dapr_hero.settings import Mode, Settings

log = structlog.get_logger()

# What a mode calls for the events of one path, and in whose order it gets the outcomes back.
Deliver = Callable[[str, Sequence[CloudEvent]], Awaitable[list[Outcome]]]


class State(NamedTuple):
    """One entry of a state store. The etag is the store's own word for this version."""

    key: str
    value: bytes  # JSON
    etag: str


# What to write an entry with that must not be there yet. Without any etag the Redis component refuses as well
# what another writer has put there meanwhile, but as an error of its own, which daprd retries for seconds.
NO_ETAG = "0"


class Conflict(Exception):
    """Some entries have changed since they were read, and were not saved; others may have been."""


class Sidecar(Protocol):
    """Calls out: what inventory asks of its daprd. All raise Unavailable when they get no good answer."""

    async def get_secret(self, store: str, key: str) -> Mapping[str, str]:
        """The named values of one secret."""

    async def get_states(self, store: str, keys: Sequence[str]) -> Mapping[str, State]:
        """The entries that exist, in one round trip."""

    async def save_states(self, store: str, states: Sequence[State]) -> None:
        """All entries in one round trip, each only if its etag is still in force. Raises: Conflict."""

    async def publish(self, pubsub: str, topic: str, event: bytes) -> None:
        """A CloudEvent in structured JSON, as it is."""

    async def close(self) -> None: ...


class Listener(Protocol):
    """Events in: the server of the chosen mode, on its private port."""

    async def stop(self) -> None:
        """Take no new delivery and answer those under way."""


class ModeModule(Protocol):
    async def connect(self, settings: Settings) -> Sidecar: ...

    async def listen(
        self, settings: Settings, subscriptions: Sequence[Subscription], deliver: Deliver
    ) -> Listener: ...


def load(mode: Mode) -> ModeModule:
    """The module of a mode; only the chosen one is imported, with what it needs."""
    return cast(ModeModule, importlib.import_module(f"dapr_hero.modes.{mode.name.lower()}"))


def retry_unknown_path(path: str, count: int) -> list[Outcome]:
    """Return the outcomes of events on a path that no subscription of this version names.

    daprd delivers there when its Subscription is ahead of the code. It takes the usual answers, 404 and
    UNIMPLEMENTED, for handled events and forgets them; after RETRY it keeps them in the end as dead letters.
    """
    log.error("no handler for this path; its events end as dead letters", path=path, count=count)
    metrics.EVENTS.labels("unknown", Verdict.RETRY.value).inc(count)
    return [Outcome(Verdict.RETRY, "no handler for this path")] * count


async def wait_for_sidecar(settings: Settings) -> None:
    """Return when daprd can take calls. Raises: Unavailable after `sidecar_timeout_seconds`."""
    deadline = asyncio.get_running_loop().time() + settings.sidecar_timeout_seconds
    while True:
        try:
            return await check_sidecar(settings)
        except Unavailable:
            if asyncio.get_running_loop().time() > deadline:
                raise
        await asyncio.sleep(0.05)


async def check_sidecar(settings: Settings) -> None:
    """Return if daprd can take calls now. Raises: Unavailable.

    `/healthz/outbound` does not wait for the app, so the app may wait for it:
    https://docs.dapr.io/reference/api/health_api/
    """
    url = f"http://{settings.dapr_host}:{settings.dapr_http_port}/v1.0/healthz/outbound"
    timeout = aiohttp.ClientTimeout(total=settings.request_timeout_seconds)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, headers=tokens.to_daprd(settings)) as session,
            session.get(url) as response,
        ):
            if response.status == HTTPStatus.NO_CONTENT:
                return
    except (aiohttp.ClientError, TimeoutError):
        pass
    raise Unavailable("daprd")
