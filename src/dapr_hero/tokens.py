"""The tokens between an app and its daprd: what daprd wants of its callers, and the app of its own.

https://docs.dapr.io/operations/security/api-token/ and https://docs.dapr.io/operations/security/app-api-token/
"""

import hmac
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import grpc.aio
from starlette.types import ASGIApp, Receive, Scope, Send

from dapr_hero import problems
from dapr_hero.problems import Unauthenticated
from dapr_hero.settings import Settings

HEADER = "dapr-api-token"
# What daprd 1.18 asks for without the app's token (pkg/channel, pkg/runtime/pubsub), and the health of any
# gRPC server. Nothing of it hands over or changes an item.
_FREE = {
    "/dapr.proto.runtime.v1.AppCallback/ListTopicSubscriptions",
    "/dapr.proto.runtime.v1.AppCallback/ListInputBindings",
    "/grpc.health.v1.Health/Check",
    "/grpc.health.v1.Health/Watch",
}


def to_daprd(settings: Settings) -> dict[str, str]:
    """The header (or gRPC metadata) of every call to daprd; nothing where there is no token."""
    return {HEADER: settings.dapr_api_token} if settings.dapr_api_token else {}


class HttpGuard:
    """An ASGI app that lets in who has the token; an empty token lets in everybody."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        if _admitted(self._token, scope["path"], headers.get(HEADER.encode(), b"")):
            await self._app(scope, receive, send)
        else:
            await problems.response(Unauthenticated(f"{HEADER} is missing or wrong"))(scope, receive, send)


class GrpcGuard(grpc.aio.ServerInterceptor):
    """The same for a server on grpc.aio."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def intercept_service(
        self, continuation: Callable[[Any], Awaitable[Any]], handler_call_details: Any
    ) -> Any:
        if _call_admitted(self._token, handler_call_details):
            return await continuation(handler_call_details)

        async def refuse(_: object, context: Any) -> None:
            await context.abort(*_REFUSAL)

        return grpc.unary_unary_rpc_method_handler(refuse)


class ThreadedGrpcGuard(grpc.ServerInterceptor):
    """The same for a server with threads, as the SDK's is."""

    def __init__(self, token: str) -> None:
        self._token = token

    def intercept_service(self, continuation: Callable[[Any], Any], handler_call_details: Any) -> Any:
        if _call_admitted(self._token, handler_call_details):
            return continuation(handler_call_details)
        return grpc.unary_unary_rpc_method_handler(lambda _, context: context.abort(*_REFUSAL))


_REFUSAL = (grpc.StatusCode.UNAUTHENTICATED, f"{HEADER} is missing or wrong")


def _call_admitted(token: str, call: Any) -> bool:
    metadata: Mapping[str, str | bytes] = dict(call.invocation_metadata or ())
    shown = metadata.get(HEADER, "")
    return _admitted(token, call.method, shown if isinstance(shown, bytes) else shown.encode())


def _admitted(token: str, path: str, shown: bytes) -> bool:
    return not token or path in _FREE or hmac.compare_digest(token.encode(), shown)
