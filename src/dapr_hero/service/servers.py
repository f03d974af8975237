"""Servers in one event loop: `start` returns when they listen, `stop` when they are idle."""

import asyncio
import contextlib
import gc
import signal
import socket
import sys
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, cast

import grpc.aio
import uvicorn
import uvloop

from dapr_hero import settings
from dapr_hero.contract.errors import Unavailable
from dapr_hero.loopback import bypass_proxies
from dapr_hero.service.drain import STOP_TIMEOUT_SECONDS
from dapr_hero.service.limits import MAX_MESSAGE_BYTES, MAX_METADATA_BYTES, Limited, LimitedProtocol
from dapr_hero.service.token_guards import GrpcGuard
from dapr_hero.settings import Settings, SettingsError

GRPC_OPTIONS = (
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_metadata_size", MAX_METADATA_BYTES),
    # Between the soft and the hard limit gRPC rejects calls at random.
    ("grpc.absolute_max_metadata_size", MAX_METADATA_BYTES),
    ("grpc.so_reuseport", 0),
)
# The connections that wait to be accepted.
_BACKLOG = 2048


class PortInUse(Exception):
    """The port to listen on is taken; the message names it."""


class _Uvicorn(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.stopped = asyncio.Event()

    async def main_loop(self) -> None:
        """Wait for the stop. uvicorn's own loop wakes up ten times a second."""
        await self.stopped.wait()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # Signals are the app's: it stops its servers in order.


class _Protocol(LimitedProtocol):
    """Sends the head of an answer together with its body; uvicorn alone makes two system calls of them."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(cast(asyncio.Transport, Corked(transport)))


class Corked:
    """A transport that combines all writes of one turn of the event loop."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._held: list[bytes] = []

    def write(self, data: bytes) -> None:
        if not self._held:
            self._loop.call_soon(self._flush)
        self._held.append(data)

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def _flush(self) -> None:
        if self._held:
            self._transport.write(b"".join(self._held))
            self._held.clear()


class HttpServer:
    """Serves an ASGI app on one address until `stop`."""

    def __init__(self, server: _Uvicorn, serving: asyncio.Task[None]) -> None:
        self._server = server
        self._serving = serving

    @classmethod
    async def start(cls, app: Any, host: str, port: int) -> "HttpServer":
        """Listen. Raises: PortInUse."""
        listening = _bind(host, port)
        config = uvicorn.Config(
            Limited(app),
            http=_Protocol,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            date_header=False,
            ws="none",
            timeout_graceful_shutdown=STOP_TIMEOUT_SECONDS,
        )
        config.load()
        server = _Uvicorn(config)
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        while not server.started and not serving.done():
            await asyncio.sleep(0.005)
        if serving.done():
            await serving
        return cls(server, serving)

    async def stop(self) -> None:
        self._server.stopped.set()
        await self._serving


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    every = host == "::" and socket.has_dualstack_ipv6()  # then IPv4 as well
    try:
        return socket.create_server((host, port), family=family, backlog=_BACKLOG, dualstack_ipv6=every)
    except OSError as error:
        raise PortInUse(f"cannot listen on {host}:{port}: {error.strerror}") from None


def grpc_server(host: str, port: int, token: str) -> grpc.aio.Server:
    """Return a gRPC server for one address, without TLS: only a sidecar on loopback calls it.

    Who calls it must show the token, unless that is empty. Raises: PortInUse.
    """
    server = grpc.aio.server(interceptors=[GrpcGuard(token)], options=GRPC_OPTIONS)
    try:
        server.add_insecure_port(f"{host}:{port}")
    except RuntimeError:
        raise PortInUse(f"cannot listen on {host}:{port}: Address already in use") from None
    return server


def freeze_garbage_collector() -> None:
    """Exempt everything that a service has imported and set up from garbage collection (ADR 13).

    Call it once the service is ready: full collections of those objects would halt every request.
    """
    gc.collect()
    gc.freeze()


def run(serve: Callable[[Settings], Coroutine[Any, Any, None]]) -> None:
    """Run a service until SIGTERM or SIGINT unwinds its exit stack. A second signal kills the process.

    A service that cannot start prints one line to standard error; its exit code is 1.
    """
    bypass_proxies()
    try:
        uvloop.run(_until_signalled(serve(settings.load())))
    except (SettingsError, PortInUse, Unavailable) as error:
        sys.exit(f"error: {error}")


async def _until_signalled(service: Coroutine[Any, Any, None]) -> None:
    loop = asyncio.get_running_loop()
    serving = asyncio.ensure_future(service)

    def unwind() -> None:
        serving.cancel()
        for each in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(each)

    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, unwind)
    with contextlib.suppress(asyncio.CancelledError):
        await serving
