"""Middleware that keeps browsers of other sites away from a server on loopback (DNS rebinding, CSRF)."""

from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from dapr_hero.service import problems
from dapr_hero.service.problems import Forbidden

_LOCAL = {"localhost", "127.0.0.1", "::1"}


class LocalCallers:
    """ASGI middleware that rejects a request whose Host or Origin header is not of this machine."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        if _hostname(f"//{headers.get(b'host', '')}") not in _LOCAL:
            app: ASGIApp = problems.response(Forbidden("the Host header is not an address of this machine"))
        elif b"origin" in headers and _hostname(headers[b"origin"]) not in _LOCAL:
            app = problems.response(Forbidden("the Origin header is not a page of this machine"))
        else:
            app = self._app
        await app(scope, receive, send)


def _hostname(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None
