"""Wires inventory: settings → mode → stores → servers → drain. The only place that knows them all."""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from functools import partial

import structlog

from dapr_hero import logs, modes, tracing
from dapr_hero.batching import CoalescingReader
from dapr_hero.drain import Drain
from dapr_hero.health import Check
from dapr_hero.inventory import api, dead_letters_api
from dapr_hero.inventory.database import Database
from dapr_hero.inventory.dead_letters import DeadLetters
from dapr_hero.inventory.gate import Gate
from dapr_hero.inventory.handlers import Handlers
from dapr_hero.inventory.parking import Parking
from dapr_hero.inventory.stores import opened
from dapr_hero.inventory.subscription_rules import SubscriptionRules
from dapr_hero.items import Item
from dapr_hero.routing import subscriptions
from dapr_hero.servers import HttpServer
from dapr_hero.settings import Settings

log = structlog.get_logger()


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
        database = Database(sidecar, settings)
        stack.push_async_callback(database.close)
        stores = await stack.enter_async_context(opened(sidecar, database, settings))
        gates = {name: Gate(name, store) for name, store in stores.items()}
        for gate in gates.values():
            stack.push_async_callback(gate.close)
        parking = Parking(sidecar, settings)
        letters = DeadLetters(database, parking)
        drain = Drain(settings.inventory_app_id, settings)

        readers = {name: CoalescingReader[str, Item](gate.get) for name, gate in gates.items()}
        reads = {name: reader.get for name, reader in readers.items()}
        rest = api.build(reads, *_checks(drain, gates, settings))
        rest_server = await HttpServer.start(rest, settings.inventory_host, settings.inventory_port)
        stack.push_async_callback(rest_server.stop)
        private = dead_letters_api.build(letters)
        private_server = await HttpServer.start(private, "127.0.0.1", settings.dead_letters_port)
        stack.push_async_callback(private_server.stop)

        saves = {name: gate.save for name, gate in gates.items()}
        rules = SubscriptionRules(settings)
        handlers = Handlers(saves, parking, letters, rules.unknown_path)
        listener = await mode.listen(settings, subscriptions(settings), handlers.deliver)
        stack.push_async_callback(listener.stop)
        await stack.enter_async_context(drain)
        log.info("inventory serves", mode=settings.dapr_mode.value, rest_port=settings.inventory_port)
        await asyncio.Event().wait()


def _checks(
    drain: Drain, gates: Mapping[str, Gate], settings: Settings
) -> tuple[dict[str, Check], dict[str, Check]]:
    """Of what inventory cannot be ready without, and of the stores, each of which it can do without."""
    essential: dict[str, Check] = {
        settings.inventory_app_id: drain.check,
        "daprd": partial(modes.check_sidecar, settings),
    }
    stores: dict[str, Check] = {
        "postgresql": gates["widgets"].probe,
        settings.state_store_name: gates["gadgets"].probe,
        settings.products_app_id: gates["products"].probe,
    }
    return essential, stores
