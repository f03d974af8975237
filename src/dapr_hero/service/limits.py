"""The limits of a request, and the middleware that enforces them."""

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from dapr_hero.service import problems
from dapr_hero.service.problems import BodyTooLarge, HeadersTooLarge, Problem, UrlTooLong

# Batches of events with long descriptions pass gRPC's default of 4 MiB.
MAX_MESSAGE_BYTES = 64 * 1024 * 1024
# URL and headers; daprd's own are a few hundred bytes.
MAX_HEAD_BYTES = 16 * 1024
# Over gRPC, daprd adds the trace context of each event of a batch: about 90 KiB for 500 of them.
MAX_METADATA_BYTES = 1024 * 1024


class Limited:
    """ASGI middleware that rejects requests larger than the limits."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        problem = _excess(scope)
        if problem:
            await problems.response(problem)(scope, receive, send)
        else:
            await self._app(scope, _counted(receive), send)


def _excess(scope: Scope) -> Problem | None:
    """Return the problem of a head that exceeds a limit; a body without a length is counted as it arrives."""
    if len(scope["raw_path"]) + len(scope["query_string"]) > MAX_HEAD_BYTES:
        return UrlTooLong(f"a URL has up to {MAX_HEAD_BYTES} bytes")
    size = length = 0
    for name, value in scope["headers"]:
        size += len(name) + len(value)
        if name == b"content-length":
            length = int(value)
    if size > MAX_HEAD_BYTES:
        return HeadersTooLarge(f"headers have up to {MAX_HEAD_BYTES} bytes")
    if length > MAX_MESSAGE_BYTES:
        return BodyTooLarge(_BODY_TOO_LARGE)
    return None


_BODY_TOO_LARGE = f"a body has up to {MAX_MESSAGE_BYTES} bytes"


def _counted(receive: Receive) -> Receive:
    received = 0

    async def counted() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > MAX_MESSAGE_BYTES:
            raise HTTPException(BodyTooLarge.status, _BODY_TOO_LARGE, headers=dict(BodyTooLarge.headers))
        return message

    return counted


class LimitedProtocol(HttpToolsProtocol):
    """Hangs up on a head that does not end, which uvicorn would collect as long as it comes."""

    _in_head = False
    _collected = 0

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head, self._collected = True, 0

    def on_headers_complete(self) -> None:
        self._in_head = False
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        # What begins a head may have the end of another request before it, so it does not count.
        began = self._in_head
        super().data_received(data)
        if began and self._in_head:
            self._collected += len(data)
            if self._collected > MAX_HEAD_BYTES:
                self.transport.write(_HANG_UP)
                self.transport.close()


_HANG_UP = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
