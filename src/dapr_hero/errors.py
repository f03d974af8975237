"""What can go wrong, and how it is said over REST."""

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType

import msgspec
from starlette.responses import Response


class Problem(Exception):
    """An answer other than success, in words that a caller may see: no address, no secret, no trace."""

    status = HTTPStatus.INTERNAL_SERVER_ERROR
    headers: Mapping[str, str] = MappingProxyType({})

    @property
    def type(self) -> str:
        return self.status.name


class NotFound(Problem):
    status = HTTPStatus.NOT_FOUND


class BadRequest(Problem):
    status = HTTPStatus.BAD_REQUEST


class Unauthenticated(Problem):
    status = HTTPStatus.UNAUTHORIZED


class MethodNotAllowed(Problem):
    status = HTTPStatus.METHOD_NOT_ALLOWED

    def __init__(self, allowed: str) -> None:
        """`allowed`: the methods, with commas between."""
        methods = ", ".join(sorted(allowed.split(", ")))
        super().__init__(f"this path answers to {methods} only")
        self.headers = {"allow": methods}


class _TooMuch(Problem):
    """The connection is closed with the answer, so that nobody has to read the rest."""

    headers: Mapping[str, str] = MappingProxyType({"connection": "close"})


class BodyTooLarge(_TooMuch):
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class UrlTooLong(_TooMuch):
    status = HTTPStatus.REQUEST_URI_TOO_LONG


class HeadersTooLarge(_TooMuch):
    status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE


class Unavailable(Problem):
    """A dependency is down or too slow; the same call may work later."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    headers = MappingProxyType({"retry-after": "1"})

    def __init__(self, dependency: str) -> None:
        super().__init__(f"{dependency} does not answer; try again")
        self.dependency = dependency

    @property
    def type(self) -> str:
        return "UNAVAILABLE"


class ErrorBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """The body of every REST error; `code` is the HTTP status."""

    type: str
    code: int
    message: str
    details: dict[str, str] | None = None


def body(problem: Problem) -> ErrorBody:
    details = {"dependency": problem.dependency} if isinstance(problem, Unavailable) else None
    return ErrorBody(problem.type, problem.status.value, str(problem), details)


def response(problem: Problem) -> Response:
    """The whole answer over HTTP."""
    content = msgspec.json.encode(body(problem))
    return Response(content, problem.status, problem.headers, media_type="application/json")
