import asyncio
from typing import cast

import aiohttp
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from dapr_hero.service.servers import Corked, HttpServer
from dapr_local.ports import free_ports


class Transport:
    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.closed = False

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def close(self) -> None:
        self.closed = True


async def test_a_response_leaves_in_one_write() -> None:
    transport = Transport()
    corked = Corked(cast(asyncio.Transport, transport))
    corked.write(b"head ")
    corked.write(b"body")
    assert transport.written == []
    await asyncio.sleep(0)
    assert transport.written == [b"head body"]


async def test_nothing_is_held_back_at_the_end() -> None:
    transport = Transport()
    corked = Corked(cast(asyncio.Transport, transport))
    corked.write(b"last words")
    corked.close()
    assert (transport.written, transport.closed) == ([b"last words"], True)
    await asyncio.sleep(0)
    assert transport.written == [b"last words"]


@pytest.mark.parametrize(("host", "addresses"), [("::1", ["[::1]"]), ("::", ["[::1]", "127.0.0.1"])])
async def test_a_server_listens_on_ipv6(host: str, addresses: list[str]) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("here")(scope, receive, send)

    [port] = free_ports(1)
    server = await HttpServer.start(app, host, port)
    try:
        async with aiohttp.ClientSession() as http:
            for address in addresses:
                async with http.get(f"http://{address}:{port}") as response:
                    assert await response.text() == "here"
    finally:
        await server.stop()
