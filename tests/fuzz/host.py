"""Servers as the services run them, on a separate event loop and thread; the test is their client."""

import asyncio
import select
import threading
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from typing import Any, NamedTuple, TypeVar

import uvloop

from dapr_hero import modes
from dapr_hero.contract.events import CloudEvent, Outcome
from dapr_hero.contract.routing import subscriptions
from dapr_hero.local.chosen_ports import on_free_ports
from dapr_hero.service.servers import HttpServer
from dapr_hero.settings import Settings
from tests.fuzz.world import World

T = TypeVar("T")

# No answer for so long is a hang.
DEADLINE_SECONDS = 10.0


class Host:
    """A context: the loop runs inside it."""

    def __init__(self) -> None:
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)

    def __enter__(self) -> "Host":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(3 * DEADLINE_SECONDS)

    @contextmanager
    def listening(self, settings: Settings) -> Iterator["Listening"]:
        """The events' side of inventory, in the mode of these settings."""
        listening = Listening(settings)
        mode = modes.load(settings.dapr_mode)
        started = mode.listen(settings, subscriptions(settings.topics), listening.deliver)
        listener = self.run(started)
        yield listening
        self.run(listener.stop())

    @contextmanager
    def serving(self, app: Any) -> Iterator["Client"]:
        """An ASGI app, and a client that talks to it."""
        port = on_free_ports().inventory_port
        server = self.run(HttpServer.start(app, "127.0.0.1", port))
        client = Client(port)
        yield client
        client.close()
        self.run(server.stop())


class Listening:
    """A mode's server, before the handlers of the world that is put here."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.world = World(settings)

    async def deliver(self, path: str, batch: Sequence[CloudEvent]) -> list[Outcome]:
        return await self.world.handlers.deliver(path, batch)


class Response(NamedTuple):
    status: int
    content_type: str
    allow: str
    body: bytes


class Client:
    """HTTP/1.1 with one connection that is kept open."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._connection = HTTPConnection("127.0.0.1", port, timeout=DEADLINE_SECONDS)

    def send(
        self, method: str, target: str, body: bytes = b"", headers: Sequence[tuple[str, bytes]] = ()
    ) -> Response:
        """Headers go out as they are. Raises: TimeoutError, and OSError for a server that hangs up."""
        if self._is_closed():
            self._connection.close()
        connection = self._connection
        connection.putrequest(method, target, skip_accept_encoding=True)
        for name, value in headers:
            connection.putheader(name, value)
        connection.putheader("content-length", str(len(body)))
        try:
            connection.endheaders(body)
            response = connection.getresponse()
            content = response.read()
        except (HTTPException, OSError):
            connection.close()
            raise
        return Response(
            response.status, response.headers["content-type"] or "", response.headers["allow"] or "", content
        )

    def _is_closed(self) -> bool:
        """By the server, which does so when nothing has come for some seconds."""
        return bool(self._connection.sock and select.select([self._connection.sock], [], [], 0)[0])

    def close(self) -> None:
        self._connection.close()
