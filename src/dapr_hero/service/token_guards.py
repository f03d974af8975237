"""Guards that require the token that daprd sends with every call to its app.

https://docs.dapr.io/operations/security/app-api-token/
"""

import hmac
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import grpc.aio
from starlette.types import ASGIApp, Receive, Scope, Send

from dapr_hero.service import problems
from dapr_hero.service.problems import Unauthenticated
from dapr_hero.sidecar.tokens import HEADER

# daprd 1.18 calls these without the app's token (pkg/channel, pkg/runtime/pubsub); the
# last two are the health of any gRPC server. None of them reads or changes an item.
_FREE = {
    "/dapr.proto.runtime.v1.AppCallback/ListTopicSubscriptions",
    "/dapr.proto.runtime.v1.AppCallback/ListInputBindings",
    "/grpc.health.v1.Health/Check",
    "/grpc.health.v1.Health/Watch",
}


class HttpGuard:
    """ASGI middleware that requires the token; an empty token admits every caller."""

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
    """Interceptor that requires the token, for a server on grpc.aio."""

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
    """Interceptor that requires the token, for a threaded server such as the SDK's."""

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
