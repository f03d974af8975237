"""JSON answers and error bodies, shared by all HTTP APIs on Starlette."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from dapr_hero import items, metrics, problems
from dapr_hero.errors import Unavailable
from dapr_hero.problems import BadRequest, MethodNotAllowed, NotFound, Problem, ServiceUnavailable

log = structlog.get_logger()


def json_response(body: object, status: int = HTTPStatus.OK) -> Response:
    return Response(items.encode(body), status, media_type="application/json")


def _problem(_: Request, problem: Problem) -> Response:
    metrics.REQUESTS.labels("other", problem.status.value).inc()
    return problems.response(problem)


def _unavailable(request: Request, failure: Unavailable) -> Response:
    return _problem(request, ServiceUnavailable(failure))


class _Refused(Problem):
    """An error that Starlette or a middleware has raised, with its own status."""

    def __init__(self, error: HTTPException) -> None:
        super().__init__(error.detail)
        self.status = HTTPStatus(error.status_code)
        self.headers = error.headers or {}


def _http_error(request: Request, error: HTTPException) -> Response:
    known: dict[int, Problem] = {
        HTTPStatus.BAD_REQUEST: BadRequest("the request cannot be understood"),
        HTTPStatus.NOT_FOUND: NotFound("there is no such path"),
        HTTPStatus.METHOD_NOT_ALLOWED: MethodNotAllowed((error.headers or {}).get("Allow", "")),
    }
    return _problem(request, known.get(error.status_code) or _Refused(error))


def _internal_error(request: Request, error: Exception) -> Response:
    log.error("request failed", path=request.url.path, exc_info=error)
    return _problem(request, Problem("the request failed; it has been logged"))


exception_handlers: Mapping[Any, Any] = {
    Problem: _problem,
    Unavailable: _unavailable,
    HTTPException: _http_error,
    Exception: _internal_error,
}
