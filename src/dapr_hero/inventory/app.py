"""Wires inventory: settings → mode → stores → servers → drain. Only this file knows all of them."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial

import structlog

from dapr_hero import modes
from dapr_hero.contract.items import Item
from dapr_hero.contract.kinds import KINDS, Backend
from dapr_hero.contract.routing import subscriptions
from dapr_hero.inventory import api, dead_letters_api
from dapr_hero.inventory.circuit_breaker import StoreCircuitBreaker
from dapr_hero.inventory.database import Database
from dapr_hero.inventory.dead_letters import DeadLetters
from dapr_hero.inventory.fast_reads.shared_reads import CoalescingReader
from dapr_hero.inventory.handlers import Handlers
from dapr_hero.inventory.side_topics import SideTopics
from dapr_hero.inventory.stores import opened
from dapr_hero.inventory.subscription_rules import SubscriptionRules
from dapr_hero.service import logs, tracing
from dapr_hero.service.drain import Drain
from dapr_hero.service.health import Check
from dapr_hero.service.servers import HttpServer, freeze_garbage_collector
from dapr_hero.settings import Settings
from dapr_hero.sidecar import readiness

log = structlog.get_logger()


async def serve(settings: Settings) -> None:
    """Serve until cancelled, then stop taking events and requests, finish those under way, and let go.

    Raises: Unavailable when there is no sidecar, PortInUse.
    """
    logs.configure(settings.inventory_app_id, settings)
    mode = modes.load(settings.dapr_mode)
    async with AsyncExitStack() as stack:
        reporter = tracing.report(settings.inventory_app_id)
        if reporter:
            stack.push_async_callback(asyncio.to_thread, reporter.shut_down)
        sidecar = await mode.connect(settings)
        stack.push_async_callback(sidecar.close)
        database = Database(sidecar, settings)
        stack.push_async_callback(database.close)
        stores = await stack.enter_async_context(opened(sidecar, database, settings))
        guarded = {name: StoreCircuitBreaker(name, store) for name, store in stores.items()}
        for store in guarded.values():
            stack.push_async_callback(store.close)
        side_topics = SideTopics(sidecar, settings)
        letters = DeadLetters(database, side_topics)
        drain = Drain(settings.inventory_app_id, settings)

        readers = {name: CoalescingReader[str, Item](store.get) for name, store in guarded.items()}
        reads = {name: reader.get for name, reader in readers.items()}
        rest = api.build(reads, *_checks(drain, guarded, settings))
        rest_server = await HttpServer.start(rest, settings.inventory_host, settings.inventory_port)
        stack.push_async_callback(rest_server.stop)
        private = dead_letters_api.build(letters, settings.dapr_api_token)
        private_server = await HttpServer.start(private, "127.0.0.1", settings.dead_letters_port)
        stack.push_async_callback(private_server.stop)

        saves = {name: store.save for name, store in guarded.items()}
        rules = SubscriptionRules(settings)
        handlers = Handlers(saves, side_topics, letters, rules.unknown_path)
        subscribed = subscriptions(settings.topics, in_bulk=settings.bulk_subscribe)
        listener = await mode.listen(settings, subscribed, handlers.deliver)
        stack.push_async_callback(listener.stop)
        freeze_garbage_collector()
        await stack.enter_async_context(drain)
        log.info("inventory is ready", mode=settings.dapr_mode.value, rest_port=settings.inventory_port)
        await asyncio.Event().wait()


def _checks(
    drain: Drain, stores: Mapping[str, StoreCircuitBreaker], settings: Settings
) -> tuple[dict[str, Check], dict[str, Check]]:
    """Return the checks of what inventory cannot serve without, and those of the stores."""
    essential: dict[str, Check] = {
        settings.inventory_app_id: drain.check,
        "daprd": partial(readiness.check_sidecar, settings),
    }
    names = {
        Backend.POSTGRESQL: "postgresql",
        Backend.STATE_STORE: settings.state_store_name,
        Backend.PRODUCTS: settings.products_app_id,
    }
    others: dict[str, Check] = {
        name: partial(_check_all, [stores[kind.resource] for kind in KINDS if kind.backend is backend])
        for backend, name in names.items()
    }
    return essential, others


async def _check_all(stores: Sequence[StoreCircuitBreaker]) -> None:
    """Return if all stores are available. Raises: Unavailable."""
    await asyncio.gather(*(store.check() for store in stores))
