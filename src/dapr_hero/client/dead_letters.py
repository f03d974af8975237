"""The private API of the dead letters, as the command line calls it."""

from types import TracebackType
from typing import Self
from urllib.parse import quote

import aiohttp
import msgspec

from dapr_hero.client import platform
from dapr_hero.client.answers import ClientError
from dapr_hero.contract.dead_letter import DeadLetter, DeadLetterState, Page
from dapr_hero.settings import Settings
from dapr_hero.sidecar import tokens

_PAGE = 1000


class DeadLettersClient:
    """`async with DeadLettersClient(settings) as letters`. All methods raise ClientError."""

    def __init__(self, settings: Settings) -> None:
        self._url = f"http://127.0.0.1:{settings.dead_letters_port}/v1/dead-letters"
        self._settings = settings
        self._http: aiohttp.ClientSession

    async def __aenter__(self) -> Self:
        self._http = platform.session(self._settings, tokens.to_daprd(self._settings))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.close()

    async def page(self, state: DeadLetterState, limit: int, after: str | None = None) -> Page:
        """Return up to `limit` dead letters, latest first, after the `next` of the previous page."""
        query = {"state": state.value, "limit": str(limit)} | ({"after": after} if after else {})
        return msgspec.json.decode(await platform.ask(self._http, "GET", self._url, **query), type=Page)

    async def keys(self, state: DeadLetterState) -> list[str]:
        """Return the keys of all dead letters in this state."""
        page = await self.page(state, _PAGE)
        keys = [letter.key for letter in page.letters]
        while page.next:
            page = await self.page(state, _PAGE, page.next)
            keys += [letter.key for letter in page.letters]
        return keys

    async def get(self, key: str) -> DeadLetter:
        """Return one dead letter with its event."""
        return msgspec.json.decode(await platform.ask(self._http, "GET", self._one(key)), type=DeadLetter)

    async def replay(self, key: str) -> None:
        """Publish its event again."""
        await platform.ask(self._http, "POST", f"{self._one(key)}/replay")

    def _one(self, key: str) -> str:
        if not key:
            raise ClientError(
                "the key of a dead letter is empty: give one that `dapr-hero dead-letters list` shows"
            )
        return f"{self._url}/{quote(key, safe='')}"

    async def discard(self, key: str) -> None:
        """Delete it."""
        await platform.ask(self._http, "DELETE", self._one(key))
