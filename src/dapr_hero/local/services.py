"""The two services of the platform, each in a separate Python process."""

import os
import sys

import aiohttp

from dapr_hero.service.drain import STOP_TIMEOUT_SECONDS
from dapr_hero.service.health import OK
from dapr_hero.settings import Settings
from dapr_local.data import DataDir
from dapr_local.parts import readiness
from dapr_local.parts.part import Part, Stage
from dapr_local.parts.readiness import HTTP_TIMEOUT
from dapr_local.supervise.process import Probe, Process

INVENTORY = "inventory"
PRODUCTS = "products"
# The servers of each service, which are stopped one after the other.
_SERVERS = {INVENTORY: 3, PRODUCTS: 2}
# For what comes after them: tracing, connections.
_REST_SECONDS = 5.0


def inventory(
    settings: Settings, data: DataDir, needs: frozenset[str], *, whole: bool, name: str = INVENTORY
) -> Part:
    """Return the inventory service, or a replica of it.

    `whole`: all it depends on is there, so it is ready when it reaches all of it.
    """

    async def serves() -> bool:
        url = settings.inventory_url
        return await (all_available(f"{url}/readyz") if whole else readiness.http(f"{url}/healthz"))

    return _part(name, INVENTORY, settings, data, serves, needs)


def products(settings: Settings, data: DataDir, needs: frozenset[str]) -> Part:
    """Return the products service, which has its own sidecar."""
    own = settings.model_copy(
        update={
            "dapr_http_port": settings.products_dapr_http_port,
            "dapr_grpc_port": settings.products_dapr_grpc_port,
        }
    )

    async def serves() -> bool:
        return await readiness.grpc_serving(f"127.0.0.1:{settings.products_port}")

    return _part(PRODUCTS, PRODUCTS, own, data, serves, needs)


def _part(
    name: str,
    service: str,
    settings: Settings,
    data: DataDir,
    serves: Probe,
    needs: frozenset[str],
) -> Part:
    async def launch() -> Process:
        environment = {**_opentelemetry(), **settings.environment(), "PYTHONUNBUFFERED": "1"}
        command = [sys.executable, "-P", "-m", f"dapr_hero.{service}"]
        return Process(name, command, data.log(name), env=environment)

    return Part(
        name,
        Stage.SERVICE,
        launch,
        serves,
        needs=needs,
        ready_seconds=settings.sidecar_timeout_seconds + 30,
        # As long as a service may take that stops in order, and not less: it would be killed with work in hand.
        stop_seconds=settings.unready_seconds + _SERVERS[service] * STOP_TIMEOUT_SECONDS + _REST_SECONDS,
    )


def _opentelemetry() -> dict[str, str]:
    """Return the variables of OpenTelemetry's SDK; daprd, which reads some of them too, does not get them."""
    return {name: value for name, value in os.environ.items() if name.startswith("OTEL_")}


async def all_available(url: str) -> bool:
    """Return whether a service reports at `url`, its /readyz, that it and all its dependencies are available."""
    try:
        async with aiohttp.ClientSession(timeout=HTTP_TIMEOUT) as session, session.get(url) as response:
            states = (await response.json())["dependencies"].values()
            return response.ok and all(state == OK for state in states)
    except (aiohttp.ClientError, OSError):
        return False
