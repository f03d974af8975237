"""The public REST API: items by id, health, metrics and the API's own description."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.convertors import Convertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from dapr_hero import errors, items, metrics
from dapr_hero.errors import BadRequest, MethodNotAllowed, NotFound, Problem, Unavailable
from dapr_hero.inventory import openapi
from dapr_hero.items import MAX_ID, Item

log = structlog.get_logger()

Read = Callable[[str], Awaitable[Item | None]]
# Tells whether a dependency answers, by raising Unavailable when it does not.
Check = Callable[[], Awaitable[object]]


class _AnyText(Convertor[str]):
    """An id in a path; Starlette's own `path` ends at a line break."""

    regex = "(?s:.*)"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("text", _AnyText())


def build(reads: Mapping[str, Read], checks: Mapping[str, Check]) -> Starlette:
    """`reads` has one entry for each resource, `checks` one for each dependency."""

    async def ready(_: Request) -> Response:
        states = dict(zip(checks, await asyncio.gather(*map(_state, checks.values())), strict=True))
        healthy = all(state == "ok" for state in states.values())
        return json_response({"ready": healthy, "dependencies": states}, 200 if healthy else 503)

    routes = [
        Route(f"/v1/{resource}/{{id:text}}", _getter(resource, read)) for resource, read in reads.items()
    ]
    routes += [
        Route("/healthz", _alive),
        Route("/readyz", ready),
        Route("/metrics", _metrics),
        Route("/openapi.json", _openapi),
        Route("/docs", _docs),
    ]
    return Starlette(routes=routes, exception_handlers=exception_handlers)


def _getter(resource: str, read: Read) -> Callable[[Request], Awaitable[Response]]:
    async def get(request: Request) -> Response:
        id = request.path_params["id"]
        if not 1 <= len(id) <= MAX_ID or "\0" in id:
            raise BadRequest(f"an id has 1 to {MAX_ID} characters, none of them NUL")
        item = await read(id)
        if item is None:
            raise NotFound(f"there is no such item in {resource}")
        metrics.REQUESTS.labels(resource, 200).inc()
        return json_response(item)

    return get


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


def _problem(request: Request, problem: Problem) -> Response:
    metrics.REQUESTS.labels(_resource(request), problem.status.value).inc()
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


def _resource(request: Request) -> str:
    parts = request.url.path.split("/")
    return parts[2] if len(parts) > 3 and parts[1] == "v1" and parts[2] in openapi.RESOURCES else "other"


def json_response(body: object, status: int = HTTPStatus.OK) -> Response:
    return Response(items.encode(body), status, media_type="application/json")


exception_handlers: Mapping[Any, Any] = {
    Problem: _problem,
    HTTPException: _http_error,
    Exception: _internal_error,
}
