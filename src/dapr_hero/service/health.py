"""The endpoints for Kubernetes and Prometheus: /healthz, /readyz and /metrics."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dapr_hero.contract.errors import Unavailable
from dapr_hero.service.problems import json_response

log = structlog.get_logger()

OK = "ok"
# All checks run at once, and the probes of Kubernetes wait for six seconds (k8s/base).
CHECK_SECONDS = 2.0

# Returns if a dependency is available. Raises: Unavailable.
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
        async with asyncio.timeout(CHECK_SECONDS):
            await check()
    except (Unavailable, TimeoutError):
        return "unavailable"
    except Exception:
        log.exception("check failed")
        return "unavailable"
    return OK


async def _alive(_: Request) -> Response:
    return json_response({"alive": True})


async def _metrics(_: Request) -> Response:
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
