"""Dead letters in memory behind the real private API, on a thread: a command runs its own event loop."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import msgspec

from dapr_hero.contract.dead_letter import DeadLetter, DeadLetterState, Page
from dapr_hero.inventory import dead_letters_api
from dapr_hero.inventory.dead_letters import DeadLetters, Place
from dapr_hero.service.problems import BadRequest, NotFound
from dapr_hero.service.servers import HttpServer
from dapr_hero.settings import Settings

MOMENT = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)


class Letters(DeadLetters):
    """Found by their whole keys; those in `refused` cannot be replayed."""

    def __init__(self, *letters: DeadLetter) -> None:
        self.by_key = {each.key: each for each in letters}
        self.refused: set[str] = set()

    async def page(self, state: DeadLetterState, limit: int, after: Place | None = None) -> Page:
        every = [each for each in self.by_key.values() if each.state is state]
        places = sorted((Place(each.last_at, each.key) for each in every), reverse=True)
        left = [each for each in places if after is None or each < after]
        last = left[limit - 1] if len(left) > limit else None
        following = f"{last.last_at.isoformat()}/{last.key}" if last else None
        found = [msgspec.structs.replace(self.by_key[each.key], original=None) for each in left[:limit]]
        return Page(len(every), found, following)

    async def get(self, key: str) -> DeadLetter:
        if key not in self.by_key:
            raise NotFound("there is no such dead letter")
        return self.by_key[key]

    async def replay(self, key: str) -> DeadLetter:
        found = await self.get(key)
        if key in self.refused:
            raise BadRequest("this letter is not a CloudEvent")
        self.by_key[key] = msgspec.structs.replace(found, state=DeadLetterState.REPLAYED)
        return self.by_key[key]

    async def discard(self, key: str) -> None:
        await self.get(key)
        del self.by_key[key]


def letter(
    key: str, state: DeadLetterState = DeadLetterState.KEPT, original: str | None = None
) -> DeadLetter:
    """A letter; the higher its key, the later it came."""
    moment = MOMENT + timedelta(seconds=ord(key[0]))
    return DeadLetter(key, state, "price is negative", "id", "widget.v1", None, 1, moment, moment, original)


@contextmanager
def served(letters: Letters, settings: Settings) -> Iterator[None]:
    """Serve them where these settings have the API, with their token."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    app = dead_letters_api.build(letters, settings.dapr_api_token)
    start = HttpServer.start(app, "127.0.0.1", settings.dead_letters_port)
    server = asyncio.run_coroutine_threadsafe(start, loop).result(10)
    try:
        yield
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
