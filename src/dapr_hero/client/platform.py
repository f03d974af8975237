"""Publishes events to a running platform and reads items from it, as any client does."""

import asyncio
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import aiohttp
import msgspec
from yarl import URL

from dapr_hero.contract import items
from dapr_hero.contract.error_body import ErrorBody
from dapr_hero.contract.errors import UserError
from dapr_hero.contract.items import Malformed
from dapr_hero.contract.kinds import Kind
from dapr_hero.settings import Settings
from dapr_hero.sidecar import tokens

if TYPE_CHECKING:
    from dapr_local.progress import Report

_AT_ONCE = 32
_MAX_ANSWER_BYTES = 64 * 1024 * 1024
_REJECTED = "the API token is wrong: use the DAPR_HERO_DATA_DIR or the DAPR_API_TOKEN of the running platform"


class ClientError(UserError):
    """The platform cannot be reached or has refused; the message says what to do."""


def events(kind: Kind, id: str, description: str, price: str, count: int) -> Iterator[bytes]:
    """Yield CloudEvents of one kind in structured JSON. Raises: ClientError for an item that cannot be stored."""
    for number in range(1, count + 1):
        try:
            item = items.checked(f"{id}-{number}" if count > 1 else id, description, price)
        except Malformed as fault:
            raise ClientError(str(fault)) from None
        yield items.encode(
            {
                "specversion": "1.0",
                "id": str(uuid.uuid4()),
                "source": "dapr-hero",
                "type": kind.type,
                "time": datetime.now(UTC).isoformat(),
                "datacontenttype": "application/json",
                "data": item,
            }
        )


def event_in(path: Path) -> bytes:
    """Return the CloudEvent in a file, with a new id and the current time if it lacks them. Raises: ClientError."""
    try:
        event = msgspec.json.decode(path.read_bytes(), type=dict[str, msgspec.Raw])
    except OSError as error:
        raise ClientError(f"{path} cannot be read: {error.strerror}") from None
    except items.NOT_JSON as error:
        raise ClientError(f"{path} is not a CloudEvent in JSON: {error}") from None
    event.setdefault("id", msgspec.Raw(msgspec.json.encode(str(uuid.uuid4()))))
    event.setdefault("time", msgspec.Raw(msgspec.json.encode(datetime.now(UTC).isoformat())))
    return msgspec.json.encode(event)


async def publish(settings: Settings, events: Iterator[bytes], total: int, report: "Report") -> None:
    """Publish through inventory's sidecar. Raises: ClientError at the first that was not accepted."""
    base = f"http://{settings.dapr_host}:{settings.dapr_http_port}/v1.0"
    url = f"{base}/publish/{settings.pubsub_name}/{settings.pubsub_topic}"
    async with session(settings, tokens.to_daprd(settings)) as http:
        if total == 1:
            await _publish(http, url, next(events))
            return
        with report.track(f"publishing {total} events", total, "events") as advance:

            async def worker() -> None:
                for event in events:
                    await _publish(http, url, event)
                    advance(1)

            await asyncio.gather(*(worker() for _ in range(_AT_ONCE)))


async def get(settings: Settings, kind: Kind, id: str) -> str:
    """Return one item as JSON. Raises: ClientError."""
    # Encoded already: the library would decode what need not be encoded.
    url = URL(f"{settings.inventory_url}/v1/{kind.resource}/{quote(id, safe='')}", encoded=True)
    async with session(settings) as http:
        return await ask(http, "GET", url)


def session(settings: Settings, headers: Mapping[str, str] | None = None) -> aiohttp.ClientSession:
    """Return a session with the timeouts of the settings; the caller closes it."""
    timeout = aiohttp.ClientTimeout(total=settings.request_timeout_seconds * 2)
    return aiohttp.ClientSession(timeout=timeout, headers=headers)


async def ask(http: aiohttp.ClientSession, method: str, url: str | URL, **query: str) -> str:
    """Return the body of inventory's answer. Raises: ClientError if there is none, or it is an error."""
    try:
        encoded = url if isinstance(url, URL) else URL(url, encoded=True)
        async with http.request(method, encoded, params=query or None) as response:
            text = await _text(response)
            status, ok = response.status, response.ok
    except (aiohttp.ClientError, OSError, ValueError) as error:
        # Not the error's own text: it may hold the request's headers, and so the token.
        reason = str(error) if type(error) is ValueError else type(error).__name__
        hint = "is the platform up (make run)?"
        raise ClientError(f"inventory does not answer at {url} ({reason}): {hint}") from None
    if status == HTTPStatus.UNAUTHORIZED:
        raise ClientError(_REJECTED)
    if not ok:
        raise ClientError(f"{status}: {_message(text)}")
    return text


async def _text(response: aiohttp.ClientResponse) -> str:
    """Return the body. Raises: ValueError for one that is too large or not text."""
    body = await response.content.read(_MAX_ANSWER_BYTES)
    if not response.content.at_eof() and await response.content.read(1):
        raise ValueError(f"the answer is larger than {_MAX_ANSWER_BYTES:,} bytes")
    return body.decode()


def _message(text: str) -> str:
    """Return the message of an error body; an excerpt of a body that is not ours."""
    try:
        return msgspec.json.decode(text, type=ErrorBody).message
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return f"not an answer of inventory: {text[:200]!r}. Is another server on this port?"


async def _publish(http: aiohttp.ClientSession, url: str, event: bytes) -> None:
    headers = {"content-type": "application/cloudevents+json"}
    try:
        async with http.post(url, data=event, headers=headers) as response:
            if response.status == HTTPStatus.UNAUTHORIZED:
                raise ClientError(_REJECTED)
            if response.status != HTTPStatus.NO_CONTENT:
                reason = (await _text(response))[:500]
                raise ClientError(f"daprd refused the event ({response.status}): {reason}")
    except (aiohttp.ClientError, OSError, ValueError):
        raise ClientError(f"no sidecar answers at {url}: is the platform up (make run)?") from None
