"""The answers of the REST APIs on Starlette: JSON bodies, and a status, headers and a message for each error."""

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

import msgspec
import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from dapr_hero.contract import items
from dapr_hero.contract.error_body import ErrorBody
from dapr_hero.contract.errors import Unavailable
from dapr_hero.service import metrics

log = structlog.get_logger()


class Problem(Exception):
    """A response other than success. Its message is shown to the caller: no address, secret or traceback."""

    status = HTTPStatus.INTERNAL_SERVER_ERROR
    headers: Mapping[str, str] = MappingProxyType({})

    @property
    def type(self) -> str:
        return self.status.name


class NotFound(Problem):
    """404: the item or the path does not exist."""

    status = HTTPStatus.NOT_FOUND


class BadRequest(Problem):
    """400: the request is malformed."""

    status = HTTPStatus.BAD_REQUEST


class Unauthenticated(Problem):
    """401: the token is missing or wrong."""

    status = HTTPStatus.UNAUTHORIZED


class Forbidden(Problem):
    """403: the caller is not allowed."""

    status = HTTPStatus.FORBIDDEN


class MethodNotAllowed(Problem):
    """405: the path does not support the method."""

    status = HTTPStatus.METHOD_NOT_ALLOWED

    def __init__(self, allowed: str) -> None:
        """Name the allowed methods, separated by commas."""
        methods = ", ".join(sorted(allowed.split(", ")))
        super().__init__(f"only {methods} are allowed on this path")
        self.headers = {"allow": methods}


class _TooMuch(Problem):
    """The request is too large. The connection is closed with the answer, so that the rest is not read."""

    headers: Mapping[str, str] = MappingProxyType({"connection": "close"})


class BodyTooLarge(_TooMuch):
    """413: the body exceeds the limit."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class UrlTooLong(_TooMuch):
    """414: the URL exceeds the limit."""

    status = HTTPStatus.REQUEST_URI_TOO_LONG


class HeadersTooLarge(_TooMuch):
    """431: the headers exceed the limit."""

    status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE


class ServiceUnavailable(Problem):
    """A dependency is unavailable."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    headers = MappingProxyType({"retry-after": "1"})

    def __init__(self, failure: Unavailable) -> None:
        super().__init__(str(failure))
        self.dependency = failure.dependency

    @property
    def type(self) -> str:
        return "UNAVAILABLE"


def body(problem: Problem) -> ErrorBody:
    """Return the body that describes a problem."""
    details = {"dependency": problem.dependency} if isinstance(problem, ServiceUnavailable) else None
    return ErrorBody(problem.type, problem.status.value, str(problem), details)


def response(problem: Problem) -> Response:
    """Return the response for a problem."""
    content = msgspec.json.encode(body(problem))
    return Response(content, problem.status, problem.headers, media_type="application/json")


def json_response(body: object, status: int = HTTPStatus.OK) -> Response:
    """Return a response with the body as JSON."""
    return Response(items.encode(body), status, media_type="application/json")


def _problem(_: Request, problem: Problem) -> Response:
    metrics.REQUESTS.labels("other", problem.status.value).inc()
    return response(problem)


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
