"""GET /v1/{resource}/{id} directly on ASGI: nearly all requests read one item.

A router and its middleware would cost as much as all the work done here (ADR 13).
"""

from collections.abc import Awaitable, Callable, Mapping

import structlog
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from dapr_hero.contract import items
from dapr_hero.contract.errors import Unavailable
from dapr_hero.contract.items import MAX_ID, Item
from dapr_hero.service import metrics, problems
from dapr_hero.service.problems import BadRequest, MethodNotAllowed, NotFound, Problem, ServiceUnavailable

log = structlog.get_logger()

Read = Callable[[str], Awaitable[Item | None]]

_METHODS = ("GET", "HEAD")


class ItemsApi:
    """An ASGI app for the paths of items; all others are those of `rest`."""

    def __init__(self, reads: Mapping[str, Read], rest: ASGIApp) -> None:
        """Serve these resources: `reads` has one entry per resource."""
        self._reads = reads
        self._rest = rest
        self._answered = {resource: metrics.REQUESTS.labels(resource, 200) for resource in reads}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        parts = scope.get("path", "").split("/", 3)
        if len(parts) == 4 and parts[1] == "v1" and parts[2] in self._reads:
            answer: ASGIApp = await self._answer(scope["method"], parts[2], parts[3])
        else:
            answer = self._rest
        await answer(scope, receive, send)

    async def _answer(self, method: str, resource: str, id: str) -> Response:
        try:
            body = await self._body(method, resource, id)
        except Problem as problem:
            return _refused(resource, problem)
        except Unavailable as failure:
            return _refused(resource, ServiceUnavailable(failure))
        except Exception:
            log.exception("request failed", resource=resource)
            return _refused(resource, Problem("the request failed; it has been logged"))
        self._answered[resource].inc()
        return Response(body, media_type="application/json")

    async def _body(self, method: str, resource: str, id: str) -> bytes:
        if method not in _METHODS:
            raise MethodNotAllowed(", ".join(_METHODS))
        if not 1 <= len(id) <= MAX_ID or "\0" in id or id in (".", ".."):
            raise BadRequest(f"an id has 1 to {MAX_ID} characters, none of them NUL, and is not . or ..")
        item = await self._reads[resource](id)
        if item is None:
            raise NotFound(f"there is no such item in {resource}")
        return items.encode(item)


def _refused(resource: str, problem: Problem) -> Response:
    metrics.REQUESTS.labels(resource, problem.status.value).inc()
    return problems.response(problem)
