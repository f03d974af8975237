"""What Kubernetes and Prometheus ask a service over HTTP: is it alive, is it ready, what has it counted."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dapr_hero.errors import Unavailable
from dapr_hero.rest import json_response

# Tells whether a dependency answers, by raising Unavailable when it does not.
Check = Callable[[], Awaitable[object]]


def routes(checks: Mapping[str, Check]) -> list[Route]:
    """/healthz, /readyz and /metrics; `checks` has one entry for each dependency, which /readyz names."""

    async def ready(_: Request) -> Response:
        states = dict(zip(checks, await asyncio.gather(*map(_state, checks.values())), strict=True))
        healthy = all(state == "ok" for state in states.values())
        return json_response({"ready": healthy, "dependencies": states}, 200 if healthy else 503)

    return [Route("/healthz", _alive), Route("/readyz", ready), Route("/metrics", _metrics)]


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
