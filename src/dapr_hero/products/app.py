"""Wires products: settings → sidecar → store → server → drain."""

import asyncio
from contextlib import AsyncExitStack

import structlog
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from dapr_hero import logs, tracing
from dapr_hero.modes import custom_grpc
from dapr_hero.products.service import ProductsService
from dapr_hero.products.v1 import products_pb2 as pb
from dapr_hero.products.v1.products_pb2_grpc import add_ProductsServicer_to_server
from dapr_hero.servers import DRAIN_SECONDS, grpc_server
from dapr_hero.settings import Settings
from dapr_hero.state import VersionedState

log = structlog.get_logger()

_NAME = pb.DESCRIPTOR.services_by_name["Products"].full_name


async def serve(settings: Settings) -> None:
    """Serve until cancelled, then refuse new calls, finish those under way, and let go.

    Raises: Unavailable when there is no sidecar, PortInUse.
    """
    logs.configure(settings.products_app_id, settings)
    async with AsyncExitStack() as stack:
        tracer = tracing.configure(settings.products_app_id, settings)
        if tracer:
            stack.push_async_callback(asyncio.to_thread, tracer.shutdown)
        sidecar = await custom_grpc.connect(settings)
        stack.push_async_callback(sidecar.close)

        server = grpc_server("127.0.0.1", settings.products_port, settings.app_api_token)
        store = VersionedState(sidecar, settings.state_store_name, "product")
        add_ProductsServicer_to_server(ProductsService(store), server)
        healthy = health.aio.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(healthy, server)
        reflection.enable_server_reflection((_NAME, health.SERVICE_NAME, reflection.SERVICE_NAME), server)
        await healthy.set(_NAME, health_pb2.HealthCheckResponse.SERVING)
        await server.start()
        stack.push_async_callback(server.stop, DRAIN_SECONDS)
        stack.push_async_callback(healthy.enter_graceful_shutdown)
        log.info("products serves", port=settings.products_port)
        await asyncio.Event().wait()
