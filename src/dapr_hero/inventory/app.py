"""Wires inventory: settings → mode → stores → servers → drain. The only place that knows them all."""

import asyncio
from contextlib import AsyncExitStack
from functools import partial

import structlog

from dapr_hero import logs, modes, tracing
from dapr_hero.batching import CoalescingReader
from dapr_hero.inventory import api
from dapr_hero.inventory.handlers import Handlers
from dapr_hero.inventory.stores import opened
from dapr_hero.items import Item
from dapr_hero.routing import Subscription
from dapr_hero.servers import HttpServer
from dapr_hero.settings import Settings

log = structlog.get_logger()

# Reading an item that need not exist shows whether its store answers.
_PROBE = ["readiness-probe"]


async def serve(settings: Settings) -> None:
    """Serve until cancelled, then stop taking events and requests, finish those under way, and let go.

    Raises: Unavailable when there is no sidecar, PortInUse.
    """
    logs.configure(settings.inventory_app_id, settings)
    mode = modes.load(settings.dapr_mode)
    async with AsyncExitStack() as stack:
        tracer = tracing.configure(settings.inventory_app_id, settings)
        if tracer:
            stack.push_async_callback(asyncio.to_thread, tracer.shutdown)
        sidecar = await mode.connect(settings)
        stack.push_async_callback(sidecar.close)
        stores = await stack.enter_async_context(opened(sidecar, settings))
        readers = {name: CoalescingReader[str, Item](store.get) for name, store in stores.items()}
        checks: dict[str, api.Check] = {
            "daprd": partial(modes.check_sidecar, settings),
            "postgresql": partial(stores["widgets"].get, _PROBE),
            settings.state_store_name: partial(stores["gadgets"].get, _PROBE),
            settings.products_app_id: partial(stores["products"].get, _PROBE),
        }
        rest = api.build({name: reader.get for name, reader in readers.items()}, checks)
        rest_server = await HttpServer.start(rest, settings.inventory_host, settings.inventory_port)
        stack.push_async_callback(rest_server.stop)

        bury = partial(sidecar.publish, settings.pubsub_name, settings.dead_letter_topic)
        handlers = Handlers({name: store.save for name, store in stores.items()}, bury)
        listener = await mode.listen(settings, Subscription.of(settings), handlers.deliver)
        stack.push_async_callback(listener.stop)
        log.info("inventory serves", mode=settings.dapr_mode.value, rest_port=settings.inventory_port)
        await asyncio.Event().wait()
