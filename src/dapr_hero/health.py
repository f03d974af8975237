"""What Kubernetes and Prometheus ask a service over HTTP: is it alive, is it ready, what has it counted."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dapr_hero.errors import Unavailable
from dapr_hero.rest import json_response

OK = "ok"

# Tells whether a dependency answers, by raising Unavailable when it does not.
Check = Callable[[], Awaitable[object]]


def routes(essential: Mapping[str, Check], others: Mapping[str, Check]) -> list[Route]:
    """/healthz, /readyz and /metrics; a check for each dependency, all of which /readyz names.

    Ready is a service whose essential ones answer. Were the others to count, an outage of one of them would
    take all replicas out of service, and with them what does not need it.
    """
    checks = {**essential, **others}

    async def ready(_: Request) -> Response:
        states = dict(zip(checks, await asyncio.gather(*map(_state, checks.values())), strict=True))
        serves = all(states[name] == OK for name in essential)
        return json_response({"ready": serves, "dependencies": states}, 200 if serves else 503)

    return [Route("/healthz", _alive), Route("/readyz", ready), Route("/metrics", _metrics)]


async def _state(check: Check) -> str:
    try:
        await check()
    except Unavailable:
        return "unavailable"
    return OK


async def _alive(_: Request) -> Response:
    return json_response({"alive": True})


async def _metrics(_: Request) -> Response:
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
