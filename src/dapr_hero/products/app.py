"""Wires products: settings → sidecar → store → servers → drain."""

import asyncio
from contextlib import AsyncExitStack
from functools import partial
from typing import Any

import grpc.aio
import structlog
from grpc_health.v1 import health as grpc_health
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from starlette.applications import Starlette

from dapr_hero.contract.items import PROBE
from dapr_hero.modes import custom_grpc
from dapr_hero.products.service import ProductsService
from dapr_hero.products.v1 import products_pb2 as pb
from dapr_hero.products.v1.products_pb2_grpc import add_ProductsServicer_to_server
from dapr_hero.service import health, logs, tracing
from dapr_hero.service.drain import STOP_TIMEOUT_SECONDS, Drain
from dapr_hero.service.health import Check
from dapr_hero.service.problems import exception_handlers
from dapr_hero.service.servers import HttpServer, freeze_garbage_collector, grpc_server
from dapr_hero.settings import Settings
from dapr_hero.sidecar import readiness
from dapr_hero.sidecar.versioned_state import VersionedState

log = structlog.get_logger()

_NAME = pb.DESCRIPTOR.services_by_name["Products"].full_name


async def serve(settings: Settings) -> None:
    """Serve until cancelled, then be not ready, refuse new calls, finish those under way, and let go.

    Raises: Unavailable when there is no sidecar, PortInUse.
    """
    logs.configure(settings.products_app_id, settings)
    async with AsyncExitStack() as stack:
        reporter = tracing.report(settings.products_app_id)
        if reporter:
            stack.push_async_callback(asyncio.to_thread, reporter.shut_down)
        sidecar = await custom_grpc.connect(settings)
        stack.push_async_callback(sidecar.close)
        store = VersionedState(sidecar, settings.state_store_name, "product")
        drain = Drain(settings.products_app_id, settings)

        healthy = grpc_health.aio.HealthServicer()
        await healthy.set(_NAME, health_pb2.HealthCheckResponse.SERVING)
        server = _grpc_server(store, healthy, settings)
        await server.start()
        stack.push_async_callback(server.stop, STOP_TIMEOUT_SECONDS)
        http_server = await HttpServer.start(
            _http_app(store, drain, settings), settings.products_host, settings.products_http_port
        )
        stack.push_async_callback(http_server.stop)
        freeze_garbage_collector()
        await stack.enter_async_context(drain)
        stack.push_async_callback(healthy.enter_graceful_shutdown)
        log.info("products is ready", port=settings.products_port, http_port=settings.products_http_port)
        await asyncio.Event().wait()


def _grpc_server(store: VersionedState, healthy: Any, settings: Settings) -> grpc.aio.Server:
    server = grpc_server("127.0.0.1", settings.products_port, settings.app_api_token)
    add_ProductsServicer_to_server(ProductsService(store), server)
    health_pb2_grpc.add_HealthServicer_to_server(healthy, server)
    reflection.enable_server_reflection((_NAME, grpc_health.SERVICE_NAME, reflection.SERVICE_NAME), server)
    return server


def _http_app(store: VersionedState, drain: Drain, settings: Settings) -> Starlette:
    """Return the endpoints for the kubelet; gRPC stays on loopback."""
    essential: dict[str, Check] = {
        settings.products_app_id: drain.check,
        "daprd": partial(readiness.check_sidecar, settings),
    }
    routes = health.routes(essential, {settings.state_store_name: partial(store.get, PROBE)})
    return Starlette(routes=routes, exception_handlers=exception_handlers)
