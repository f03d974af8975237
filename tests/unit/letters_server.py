"""The real API of the dead letters on a free port, with letters in memory in the place of PostgreSQL."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from dapr_hero.contract.dead_letter import DeadLetter, DeadLetterState, Page
from dapr_hero.inventory import dead_letters_api
from dapr_hero.inventory.dead_letters import DeadLetters, Place
from dapr_hero.service.problems import NotFound
from dapr_hero.service.servers import HttpServer

TOKEN = "for-daprd"
PAGE_LETTERS = 2
_MOMENT = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)


class LettersInMemory(DeadLetters):
    """Letters by key, each with an event; pages hold two of them."""

    def __init__(self, *keys: str) -> None:
        self.keys = list(keys)
        self.replayed: list[str] = []

    def _letter(self, key: str, original: str | None = None) -> DeadLetter:
        if key not in self.keys:
            raise NotFound("there is no such dead letter")
        return DeadLetter(
            key, DeadLetterState.KEPT, "a reason", "1", "widget.v1", None, 1, _MOMENT, _MOMENT, original
        )

    async def page(self, state: DeadLetterState, limit: int, after: Place | None = None) -> Page:
        first = self.keys.index(after.key) + 1 if after else 0
        keys = self.keys[first : first + min(limit, PAGE_LETTERS)] if state is DeadLetterState.KEPT else []
        more = bool(keys) and keys[-1] != self.keys[-1]
        letters = [self._letter(key) for key in keys]
        return Page(len(self.keys), letters, f"{_MOMENT.isoformat()}/{keys[-1]}" if more else None)

    async def get(self, key: str) -> DeadLetter:
        return self._letter(key, '{"price": 0.10}')

    async def replay(self, key: str) -> DeadLetter:
        self.replayed.append(self._letter(key).key)
        return self._letter(key)

    async def discard(self, key: str) -> None:
        self.keys.remove(self._letter(key).key)


@contextmanager
def serving(letters: DeadLetters, port: int) -> Iterator[None]:
    """Serve the letters on a separate thread until the block ends."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    app = dead_letters_api.build(letters, TOKEN)
    server = asyncio.run_coroutine_threadsafe(HttpServer.start(app, "127.0.0.1", port), loop).result()
    try:
        yield
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
