"""What all HTTP APIs on Starlette share: answers in JSON, and how each error is said."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from dapr_hero import errors, items, metrics
from dapr_hero.errors import BadRequest, MethodNotAllowed, NotFound, Problem

log = structlog.get_logger()


def json_response(body: object, status: int = HTTPStatus.OK) -> Response:
    return Response(items.encode(body), status, media_type="application/json")


def _problem(_: Request, problem: Problem) -> Response:
    metrics.REQUESTS.labels("other", problem.status.value).inc()
    return errors.response(problem)


def _http_error(request: Request, error: HTTPException) -> Response:
    known: dict[int, Problem] = {
        404: NotFound("there is no such path"),
        405: MethodNotAllowed((error.headers or {}).get("Allow", "")),
    }
    return _problem(request, known.get(error.status_code, BadRequest("the request cannot be understood")))


def _internal_error(request: Request, error: Exception) -> Response:
    log.error("request failed", path=request.url.path, exc_info=error)
    return _problem(request, Problem("the request failed; it has been logged"))


exception_handlers: Mapping[Any, Any] = {
    Problem: _problem,
    HTTPException: _http_error,
    Exception: _internal_error,
}
