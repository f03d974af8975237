"""The public REST API: items by id, and on Starlette health, metrics and the API's own description."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from dapr_hero import errors, items, metrics
from dapr_hero.errors import BadRequest, MethodNotAllowed, NotFound, Problem, Unavailable
from dapr_hero.inventory import openapi
from dapr_hero.inventory.items_api import ItemsApi, Read

log = structlog.get_logger()

# Tells whether a dependency answers, by raising Unavailable when it does not.
Check = Callable[[], Awaitable[object]]


def build(reads: Mapping[str, Read], checks: Mapping[str, Check]) -> ASGIApp:
    """`reads` has one entry for each resource, `checks` one for each dependency."""

    async def ready(_: Request) -> Response:
        states = dict(zip(checks, await asyncio.gather(*map(_state, checks.values())), strict=True))
        healthy = all(state == "ok" for state in states.values())
        return json_response({"ready": healthy, "dependencies": states}, 200 if healthy else 503)

    routes = [
        Route("/healthz", _alive),
        Route("/readyz", ready),
        Route("/metrics", _metrics),
        Route("/openapi.json", _openapi),
        Route("/docs", _docs),
    ]
    return ItemsApi(reads, Starlette(routes=routes, exception_handlers=exception_handlers))


async def _state(check: Check) -> str:
    try:
        await check()
    except Unavailable:
        return "unavailable"
    return "ok"


async def _alive(_: Request) -> Response:
    return json_response({"alive": True})


async def _metrics(_: Request) -> Response:
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


async def _openapi(_: Request) -> Response:
    return json_response(openapi.DOCUMENT)


async def _docs(_: Request) -> Response:
    return HTMLResponse(openapi.page())


def _problem(_: Request, problem: Problem) -> Response:
    metrics.REQUESTS.labels("other", problem.status.value).inc()
    return errors.response(problem)


def _http_error(request: Request, error: HTTPException) -> Response:
    known: dict[int, Problem] = {
        404: NotFound("there is no such path; see /docs"),
        405: MethodNotAllowed((error.headers or {}).get("Allow", "")),
    }
    return _problem(request, known.get(error.status_code, BadRequest("the request cannot be understood")))


def _internal_error(request: Request, error: Exception) -> Response:
    log.error("request failed", path=request.url.path, exc_info=error)
    return _problem(request, Problem("the request failed; it has been logged"))


def json_response(body: object, status: int = HTTPStatus.OK) -> Response:
    return Response(items.encode(body), status, media_type="application/json")


exception_handlers: Mapping[Any, Any] = {
    Problem: _problem,
    HTTPException: _http_error,
    Exception: _internal_error,
}
