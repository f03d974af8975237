"""Dapr's HTTP API: the paths and bodies of our calls. How a request is sent is the mode's.

https://docs.dapr.io/reference/api/
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, ClassVar
from urllib.parse import quote

import msgspec

from dapr_hero.contract.errors import Refused, Unavailable
from dapr_hero.sidecar.interface import Conflict, StateEntry


class _Found(msgspec.Struct):
    key: str
    data: msgspec.Raw = msgspec.Raw(b"null")
    etag: str = ""
    error: str = ""


_found = msgspec.json.Decoder(list[_Found])


class Answer(msgspec.Struct, frozen=True):
    """What daprd answered; status 0 is no answer at all, with the reason as the body."""

    status: int
    body: bytes


class HttpCalls(ABC):
    """The calls out of `modes.Sidecar`, over HTTP."""

    json: ClassVar[str] = "application/json"

    @abstractmethod
    async def request(self, method: str, path: str, body: bytes | None, content_type: str) -> Answer:
        """Send one request to the path below the API's version. Never raises."""

    async def get_secret(self, store: str, key: str) -> Mapping[str, str]:
        body = await self._call(store, "GET", f"secrets/{store}/{quote(key, safe='')}")
        return msgspec.json.decode(body, type=dict[str, str])

    async def get_states(self, store: str, keys: Sequence[str]) -> Mapping[str, StateEntry]:
        wanted = msgspec.json.encode({"keys": keys, "parallelism": len(keys)})
        found = _found.decode(await self._call(store, "POST", f"state/{store}/bulk", wanted))
        if error := next((each.error for each in found if each.error), ""):
            raise Unavailable(store, error)  # an entry can fail while the call succeeds
        return {each.key: StateEntry(each.key, bytes(each.data), each.etag) for each in found if each.etag}

    async def save_states(self, store: str, states: Sequence[StateEntry]) -> None:
        await self._call(
            store, "POST", f"state/{store}", msgspec.json.encode([_write(state) for state in states])
        )

    async def publish(self, pubsub: str, topic: str, event: bytes) -> None:
        path = f"publish/{pubsub}/{quote(topic, safe='')}"
        await self._call(pubsub, "POST", path, event, "application/cloudevents+json")

    async def _call(
        self, dependency: str, method: str, path: str, body: bytes | None = None, content_type: str = json
    ) -> bytes:
        answer = await self.request(method, path, body, content_type)
        if answer.status == HTTPStatus.CONFLICT:
            raise Conflict
        if not 200 <= answer.status < 300:
            raise _failure(dependency, answer)
        return answer.body


def _failure(dependency: str, answer: Answer) -> Unavailable | Refused:
    """Return the kind of failure that daprd's answer stands for.

    See https://docs.dapr.io/reference/errors/error-codes/.
    """
    cause = answer.body[:500].decode(errors="replace")
    malformed = answer.status == HTTPStatus.BAD_REQUEST and "ERR_MALFORMED_REQUEST" in cause
    if malformed or answer.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return Refused(dependency, cause)
    return Unavailable(dependency, f"HTTP {answer.status}: {cause}" if answer.status else cause)


def _write(state: StateEntry) -> dict[str, Any]:
    return {
        "key": state.key,
        "value": msgspec.Raw(state.value),
        "etag": state.etag,
        "options": {"concurrency": "first-write"},
    }
