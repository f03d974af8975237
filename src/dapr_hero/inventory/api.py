"""The public REST API: items by id, health, metrics and the description of the API."""

from collections.abc import Mapping

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from dapr_hero.inventory import openapi
from dapr_hero.inventory.fast_reads.items_api import ItemsApi, Read
from dapr_hero.service import health
from dapr_hero.service.health import Check
from dapr_hero.service.problems import exception_handlers, json_response


def build(reads: Mapping[str, Read], essential: Mapping[str, Check], stores: Mapping[str, Check]) -> ASGIApp:
    """Return the app. `reads` has one entry per resource; the checks are those of `health.routes`."""
    routes = [*health.routes(essential, stores), Route("/openapi.json", _openapi), Route("/docs", _docs)]
    return ItemsApi(reads, Starlette(routes=routes, exception_handlers=exception_handlers))


async def _openapi(_: Request) -> Response:
    return json_response(openapi.DOCUMENT)


async def _docs(_: Request) -> Response:
    return HTMLResponse(openapi.page())
