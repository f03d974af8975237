"""Publishes events to a running platform, and calls its private API, as any client does."""

import asyncio
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import msgspec
from yarl import URL

from dapr_hero.client import answers
from dapr_hero.client.answers import ClientError
from dapr_hero.contract import items
from dapr_hero.contract.items import Malformed
from dapr_hero.contract.kinds import Kind
from dapr_hero.settings import Settings
from dapr_hero.sidecar import tokens

if TYPE_CHECKING:
    from dapr_local.progress import Report

_AT_ONCE = 32


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


def session(settings: Settings, headers: Mapping[str, str] | None = None) -> aiohttp.ClientSession:
    """Return a session with the timeouts of the settings; the caller closes it."""
    timeout = aiohttp.ClientTimeout(total=settings.request_timeout_seconds * 2)
    return aiohttp.ClientSession(timeout=timeout, headers=headers)


async def ask(http: aiohttp.ClientSession, method: str, url: str, **query: str) -> str:
    """Return the body of inventory's answer. Raises: ClientError if there is none, or it is an error."""
    try:
        # Encoded already: the library would decode what need not be encoded.
        async with http.request(method, URL(url, encoded=True), params=query or None) as response:
            text = await _text(response)
            status = response.status
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise answers.missing(url, error) from None
    return answers.accepted(status, text)


async def _text(response: aiohttp.ClientResponse) -> str:
    """Return the body. Raises: ValueError for one that is too large or not text."""
    body = await response.content.read(answers.MAX_BYTES)
    if not response.content.at_eof():
        body += await response.content.read(1)
    return answers.text(body)


async def _publish(http: aiohttp.ClientSession, url: str, event: bytes) -> None:
    headers = {"content-type": "application/cloudevents+json"}
    try:
        async with http.post(url, data=event, headers=headers) as response:
            if response.status == HTTPStatus.UNAUTHORIZED:
                raise ClientError(answers.REJECTED)
            if response.status != HTTPStatus.NO_CONTENT:
                reason = (await _text(response))[:500]
                raise ClientError(f"daprd refused the event ({response.status}): {reason}")
    except (aiohttp.ClientError, OSError, ValueError):
        raise ClientError(f"no sidecar answers at {url}: is the platform up (make run)?") from None
