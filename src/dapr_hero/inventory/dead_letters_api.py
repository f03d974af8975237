"""The dead letters over REST, on the private port."""

from datetime import UTC, datetime
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from dapr_hero.contract.dead_letter import DeadLetterState
from dapr_hero.inventory.dead_letters import DeadLetters, Place
from dapr_hero.service.local_callers import LocalCallers
from dapr_hero.service.problems import BadRequest, NotFound, exception_handlers, json_response
from dapr_hero.service.token_guards import HttpGuard

_MOST = 1000
_DIGITS = 10


def build(letters: DeadLetters, token: str) -> ASGIApp:
    """Return the API, for callers on this machine that have the token."""

    async def list_letters(request: Request) -> Response:
        return json_response(await letters.page(_state(request), _limit(request), _after(request)))

    async def letter(request: Request) -> Response:
        # One route for both, so that the answer to a wrong method can name them.
        if request.method != "DELETE":
            return json_response(await letters.get(_key(request)))
        await letters.discard(_key(request))
        return Response(status_code=HTTPStatus.NO_CONTENT)

    async def replay(request: Request) -> Response:
        return json_response(await letters.replay(_key(request)))

    routes = [
        Route("/v1/dead-letters", list_letters),
        Route("/v1/dead-letters/{key}", letter, methods=["GET", "DELETE"]),
        Route("/v1/dead-letters/{key}/replay", replay, methods=["POST"]),
    ]
    app = Starlette(routes=routes, exception_handlers=exception_handlers)
    return LocalCallers(HttpGuard(app, token))


def _key(request: Request) -> str:
    key: str = request.path_params["key"]
    if "\0" in key:  # which PostgreSQL takes for no text at all
        raise NotFound("there is no such dead letter")
    return key


def _state(request: Request) -> DeadLetterState:
    try:
        return DeadLetterState(request.query_params.get("state", DeadLetterState.KEPT))
    except ValueError:
        raise BadRequest(f"state must be one of {', '.join(DeadLetterState)}") from None


def _limit(request: Request) -> int:
    text = request.query_params.get("limit", "100")
    # Python does not read a number of thousands of digits.
    if not text.isdecimal() or len(text) > _DIGITS or not 1 <= int(text) <= _MOST:
        raise BadRequest(f"limit must be a number from 1 to {_MOST}")
    return int(text)


def _after(request: Request) -> Place | None:
    text = request.query_params.get("after")
    if text is None:
        return None
    moment, _, key = text.partition("/")
    try:
        last_at = datetime.fromisoformat(moment)
        if last_at.tzinfo is None or not key or "\0" in key:
            raise ValueError
        return Place(last_at.astimezone(UTC), key)
    except (ValueError, OverflowError):  # OverflowError: in UTC it is before the year 1, or after 9999.
        raise BadRequest("`after` must be the `next` value of the previous page") from None
