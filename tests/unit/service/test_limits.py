"""The limits of all our HTTP servers, the public one too."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dapr_hero.service.limits import MAX_HEAD_BYTES
from dapr_hero.service.servers import HttpServer
from dapr_local.ports import free_ports

FITS = MAX_HEAD_BYTES - 100


@pytest.fixture
async def port() -> AsyncIterator[int]:
    async def answer(request: Request) -> Response:
        return Response(await request.body())

    [port] = free_ports(1)
    routes = [Route("/{rest:path}", answer, methods=["GET", "POST"])]
    server = await HttpServer.start(Starlette(routes=routes), "127.0.0.1", port)
    yield port
    await server.stop()


async def said(port: int, whole: bytes) -> bytes:
    """All that the server says to a request, until it hangs up."""
    async with asyncio.timeout(10):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(whole)
        answer = await reader.read()
        writer.close()
        return answer


def request(url: bytes = b"/", *headers: bytes) -> bytes:
    return b"\r\n".join([b"GET " + url + b" HTTP/1.1", b"host: x", b"connection: close", *headers, b"", b""])


@pytest.mark.parametrize("url", [b"/" + b"x" * MAX_HEAD_BYTES, b"/?" + b"x" * MAX_HEAD_BYTES])
async def test_a_long_url_is_refused(port: int, url: bytes) -> None:
    answer = await said(port, request(url))
    assert answer.startswith(b"HTTP/1.1 414 ")
    assert b'"type":"REQUEST_URI_TOO_LONG","code":414' in answer
    assert b"connection: close" in answer


@pytest.mark.parametrize(
    "headers", [[b"a: " + b"x" * MAX_HEAD_BYTES], [b"a: " + b"x" * 100] * (MAX_HEAD_BYTES // 100)]
)
async def test_long_headers_are_refused(port: int, headers: list[bytes]) -> None:
    answer = await said(port, request(b"/", *headers))
    assert answer.startswith(b"HTTP/1.1 431 ")
    assert b'"type":"REQUEST_HEADER_FIELDS_TOO_LARGE","code":431' in answer


async def test_a_request_at_the_limit_is_served(port: int) -> None:
    for whole in (request(b"/" + b"x" * FITS), request(b"/", b"a: " + b"x" * FITS)):
        assert (await said(port, whole)).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("begin", [b"GET /", b"GET / HTTP/1.1\r\na: "])
async def test_a_head_without_end_is_hung_up_on(port: int, begin: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(begin)
    async with asyncio.timeout(10):
        answer = asyncio.create_task(reader.read())
        while not answer.done():
            writer.write(b"x" * 1024)
            await asyncio.wait({answer}, timeout=0.001)
    assert answer.result().startswith(b"HTTP/1.1 431 ")
    writer.close()


async def test_a_body_in_the_same_packet_does_not_count_as_head(port: int) -> None:
    body = b"b" * 3 * MAX_HEAD_BYTES
    first = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % len(body) + body
    second = request()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    async with asyncio.timeout(10):
        writer.write(first + second[:20])
        assert (await reader.readuntil(body)).startswith(b"HTTP/1.1 200 ")
        writer.write(second[20:])
        assert (await reader.read()).startswith(b"HTTP/1.1 200 ")
    writer.close()
