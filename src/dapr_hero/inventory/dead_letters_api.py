"""The dead letters over REST, on the private port."""

from http import HTTPStatus

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dapr_hero.errors import BadRequest
from dapr_hero.inventory.api import exception_handlers, json_response
from dapr_hero.inventory.dead_letters import DeadLetters

_MOST = 1000
_STATES = ("kept", "replaying", "replayed")


def build(letters: DeadLetters) -> Starlette:
    async def list_letters(request: Request) -> Response:
        state = request.query_params.get("state", "kept")
        if state not in _STATES:
            raise BadRequest(f"state is one of {', '.join(_STATES)}")
        return json_response(await letters.list(_limit(request), state))

    async def get(request: Request) -> Response:
        return json_response(await letters.get(request.path_params["key"]))

    async def replay(request: Request) -> Response:
        return json_response(await letters.replay(request.path_params["key"]))

    async def discard(request: Request) -> Response:
        await letters.discard(request.path_params["key"])
        return Response(status_code=HTTPStatus.NO_CONTENT)

    routes = [
        Route("/v1/dead-letters", list_letters),
        Route("/v1/dead-letters/{key}", get),
        Route("/v1/dead-letters/{key}", discard, methods=["DELETE"]),
        Route("/v1/dead-letters/{key}/replay", replay, methods=["POST"]),
    ]
    return Starlette(routes=routes, exception_handlers=exception_handlers)


def _limit(request: Request) -> int:
    text = request.query_params.get("limit", "100")
    if not text.isdecimal() or not 1 <= int(text) <= _MOST:
        raise BadRequest(f"limit is a number from 1 to {_MOST}")
    return int(text)
