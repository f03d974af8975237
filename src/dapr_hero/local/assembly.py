"""The platform's parts, their ports and their dependencies."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from dapr_hero.contract.routing import subscriptions
from dapr_hero.local import services, sidecars
from dapr_hero.local.credentials import DATABASE, ROLE, Passwords
from dapr_hero.local.resources import Registration
from dapr_hero.settings import Settings, key
from dapr_local.data import DataDir
from dapr_local.errors import LocalError
from dapr_local.install import collector as install_collector
from dapr_local.install.runtime import DaprRuntime
from dapr_local.parts import collector, daprd, postgres, sentry, valkey, zipkin
from dapr_local.parts.daprd import Daprd, Mesh
from dapr_local.parts.part import Part
from dapr_local.parts.postgres import Login
from dapr_local.progress import Report

INVENTORY_DAPRD = "inventory-daprd"
PRODUCTS_DAPRD = "products-daprd"

ALL = frozenset(
    {
        valkey.NAME,
        valkey.TRIMMER,
        postgres.NAME,
        collector.NAME,
        zipkin.NAME,
        sentry.NAME,
        services.INVENTORY,
        INVENTORY_DAPRD,
        services.PRODUCTS,
        PRODUCTS_DAPRD,
    }
)
# Nothing waits for these two, and nothing needs them.
TRACING = frozenset({collector.NAME, zipkin.NAME})
_NEEDS_OF_PRODUCTS = frozenset({valkey.NAME, sentry.NAME})
# Not the collector: daprd keeps its first spans until it is up, and traces must never hold up a service.
_NEEDS_OF_INVENTORY = _NEEDS_OF_PRODUCTS | {postgres.NAME}


def replica(number: int) -> str:
    """Return the name of the inventory with this number, which starts at 1."""
    return services.INVENTORY if number == 1 else f"{services.INVENTORY}-{number}"


def parts(
    settings: Settings,
    data: DataDir,
    runtime: DaprRuntime,
    report: Report,
    *,
    chosen: Collection[str] = ALL,
    registration: Registration = Registration.DECLARATIVE,
    replicas: Sequence[Settings] = (),
    extra: Sequence[Daprd] = (),
) -> dict[str, Part]:
    """Return the chosen parts by name, with the further replicas of inventory and the extra sidecars.

    A service and its sidecar wait for each other, so neither needs the other first.
    Raises: LocalError for a name that is not a part.
    """
    unknown = set(chosen) - ALL
    if unknown:
        raise LocalError(f"no part is named {', '.join(sorted(unknown))}; there are {', '.join(sorted(ALL))}")

    if collector.NAME in chosen:
        settings, replicas = _collected(settings), [_collected(each) for each in replicas]

    def mesh(of: Settings) -> Mesh:
        return sidecars.mesh(of, data, runtime.daprd, registration, mtls=sentry.NAME in chosen)

    every = [
        *_servers(settings, data, runtime, report),
        *_products(settings, mesh(settings), chosen),
        *_inventory(settings, mesh(settings), chosen),
    ]
    wanted = [part for part in every if part.name in chosen]
    for number, each in enumerate(replicas, start=2):
        wanted += _replica(each, mesh(each), number)
    wanted += [_extra(sidecar, mesh(settings)) for sidecar in extra]
    return {part.name: part for part in wanted}


def _collected(settings: Settings) -> Settings:
    """Return the settings with the platform's own collector, unless they name another."""
    endpoint = settings.otel_exporter_otlp_endpoint or f"http://127.0.0.1:{settings.otlp_port}"
    return settings.model_copy(update={"otel_exporter_otlp_endpoint": endpoint})


def _servers(settings: Settings, data: DataDir, runtime: DaprRuntime, report: Report) -> list[Part]:
    passwords = Passwords.of(data)
    login = Login(ROLE, passwords.postgres_inventory, DATABASE)
    topics = [each.topic.name for each in subscriptions(settings.topics)]
    s = settings

    async def get_collector() -> Path:
        sources = install_collector.Sources(data.program)
        return await asyncio.to_thread(install_collector.obtain, sources, report)

    return [
        _listening(valkey.part(s.valkey_port, passwords.valkey, data), s, "valkey_port"),
        valkey.trimmer(s.valkey_port, passwords.valkey, topics, data),
        _listening(
            postgres.part(s.postgres_port, passwords.postgres_superuser, login, data), s, "postgres_port"
        ),
        _listening(collector.part(get_collector, s.otlp_port, s.zipkin_port, data), s, "otlp_port"),
        _listening(zipkin.part(s.zipkin_port, data, report), s, "zipkin_port"),
        _listening(
            sentry.part(runtime.sentry, s.sentry_port, s.sentry_health_port, data),
            s,
            *("sentry_port", "sentry_health_port"),
        ),
    ]


def _products(settings: Settings, mesh: Mesh, chosen: Collection[str]) -> list[Part]:
    needs, with_app = _NEEDS_OF_PRODUCTS, services.PRODUCTS in chosen
    service = services.products(settings, mesh.data, needs)
    sidecar = daprd.part(PRODUCTS_DAPRD, sidecars.of_products(settings), mesh, needs, with_app=with_app)
    return [
        _listening(service, settings, "products_port", "products_http_port"),
        _listening(
            sidecar,
            settings,
            *("products_dapr_http_port", "products_dapr_grpc_port"),
            *("products_dapr_internal_port", "products_dapr_metrics_port"),
        ),
    ]


def _inventory(settings: Settings, mesh: Mesh, chosen: Collection[str], number: int = 1) -> list[Part]:
    name, needs, with_app = replica(number), _NEEDS_OF_INVENTORY, services.INVENTORY in chosen
    whole = ALL - TRACING - {sentry.NAME, valkey.TRIMMER} <= set(chosen)
    service = services.inventory(settings, mesh.data, needs, whole=whole, name=name)
    sidecar = daprd.part(f"{name}-daprd", sidecars.of_inventory(settings), mesh, needs, with_app=with_app)
    return [
        _listening(service, settings, "inventory_port", "dead_letters_port", settings.dapr_mode.port_setting),
        _listening(
            sidecar,
            settings,
            *("dapr_http_port", "dapr_grpc_port"),
            *("inventory_dapr_internal_port", "inventory_dapr_metrics_port"),
        ),
    ]


def _replica(settings: Settings, mesh: Mesh, number: int) -> list[Part]:
    """Return another inventory with its sidecar. Replicas have the same app id and share the events."""
    return [
        replace(part, ports={f"{variable} (replica {number})": port for variable, port in part.ports.items()})
        for part in _inventory(settings, mesh, ALL, number)
    ]


def _extra(sidecar: Daprd, mesh: Mesh) -> Part:
    part = daprd.part(sidecar.name, sidecar, mesh, _NEEDS_OF_PRODUCTS, with_app=False)
    names = ("HTTP", "gRPC", "internal", "metrics")
    numbers = (sidecar.http_port, sidecar.grpc_port, sidecar.internal_port, sidecar.metrics_port)
    ports = {f"the {name} port of {sidecar.name}": port for name, port in zip(names, numbers, strict=True)}
    return replace(part, ports=ports)


def _listening(part: Part, settings: Settings, *fields: str) -> Part:
    """Return the part with the ports of these settings."""
    return replace(part, ports={key(field): getattr(settings, field) for field in fields})
