"""Runs the app of the SDK's gRPC extension, whose `run` blocks, next to the event loop."""

import asyncio
import socket

from dapr.ext.grpc import App

from dapr_hero.service.drain import STOP_TIMEOUT_SECONDS
from dapr_hero.service.servers import PortInUse


class SdkGrpcServer:
    """The extension's app on a thread, from `start` until `stop`."""

    def __init__(self, app: App, port: int) -> None:
        self._app = app
        self._port = port
        self._running: asyncio.Future[None]

    async def start(self) -> None:
        """Return when the port accepts connections. Raises: PortInUse."""
        if _accepts_connections(self._port):
            raise PortInUse(f"cannot listen on 127.0.0.1:{self._port}: Address already in use")
        self._running = asyncio.ensure_future(asyncio.to_thread(self._app.run, self._port, "127.0.0.1"))
        while not _accepts_connections(self._port):
            if self._running.done():
                raise PortInUse(f"cannot listen on 127.0.0.1:{self._port}: {self._running.exception()}")
            await asyncio.sleep(0.01)

    async def stop(self) -> None:
        """Finish the deliveries in progress. `App.stop` would cut them; the server that it wraps waits."""
        stopped = self._app._server.stop(STOP_TIMEOUT_SECONDS)
        await asyncio.to_thread(stopped.wait)
        await self._running


def _accepts_connections(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
