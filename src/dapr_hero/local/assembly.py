"""What the platform consists of: its parts, and which of them needs which."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from dapr_hero.contract.routing import subscriptions
from dapr_hero.local import daprd, postgres, sentry, services, valkey, zipkin
from dapr_hero.local.daprd import Mesh, Sidecar
from dapr_hero.local.data import DataDir
from dapr_hero.local.resources import Subscription
from dapr_hero.local.runtime import DaprRuntime
from dapr_hero.settings import Settings, key
from dapr_local.errors import LocalError
from dapr_local.parts.part import Part
from dapr_local.progress import Report

INVENTORY_DAPRD = "inventory-daprd"
PRODUCTS_DAPRD = "products-daprd"

ALL = frozenset(
    {
        valkey.NAME,
        valkey.TRIMMER,
        postgres.NAME,
        zipkin.NAME,
        sentry.NAME,
        services.INVENTORY,
        INVENTORY_DAPRD,
        services.PRODUCTS,
        PRODUCTS_DAPRD,
    }
)
_NEEDS_OF_PRODUCTS = frozenset({valkey.NAME, sentry.NAME})
# Not Zipkin: daprd keeps its first spans until it is up, and a trace store must never hold up a service.
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
    subscription: Subscription = Subscription.DECLARATIVE,
    replicas: Sequence[Settings] = (),
    extra: Sequence[Sidecar] = (),
) -> dict[str, Part]:
    """Return the chosen parts by name, with the further replicas of inventory and the extra sidecars.

    A service and its sidecar wait for each other, so neither needs the other first.
    Raises: LocalError for a name that is not a part.
    """
    unknown = set(chosen) - ALL
    if unknown:
        raise LocalError(f"no part is named {', '.join(sorted(unknown))}; there are {', '.join(sorted(ALL))}")
    mesh = Mesh(
        settings, data, runtime.daprd, subscription, mtls=sentry.NAME in chosen, tracing=zipkin.NAME in chosen
    )
    every = [
        *_backing(settings, data, runtime, report),
        *_of_products(mesh, chosen),
        *_of_inventory(mesh, chosen),
    ]
    for number, each in enumerate(replicas, start=2):
        every += _of_replica(replace(mesh, settings=each), number)
    others = [_sidecar(sidecar.name, sidecar, mesh, _NEEDS_OF_PRODUCTS, False) for sidecar in extra]
    further = {part.name for part in every} - ALL
    wanted = [part for part in every if part.name in further.union(chosen)]
    return {part.name: part for part in [*wanted, *others]}


def _backing(settings: Settings, data: DataDir, runtime: DaprRuntime, report: Report) -> list[Part]:
    return [
        valkey.part(settings, data),
        valkey.trimmer(settings, data, [each.topic.name for each in subscriptions(settings.topics)]),
        postgres.part(settings, data),
        zipkin.part(settings, data, report),
        sentry.part(settings, data, runtime.sentry),
    ]


def _of_products(mesh: Mesh, chosen: Collection[str]) -> list[Part]:
    sidecar = daprd.of_products(mesh.settings)
    return [
        services.products(mesh.settings, mesh.data, _NEEDS_OF_PRODUCTS),
        _sidecar(PRODUCTS_DAPRD, sidecar, mesh, _NEEDS_OF_PRODUCTS, services.PRODUCTS in chosen),
    ]


def _of_inventory(mesh: Mesh, chosen: Collection[str]) -> list[Part]:
    sidecar = daprd.of_inventory(mesh.settings)
    whole = ALL - {zipkin.NAME, sentry.NAME, valkey.TRIMMER} <= set(chosen)
    return [
        services.inventory(mesh.settings, mesh.data, _NEEDS_OF_INVENTORY, whole=whole),
        _sidecar(INVENTORY_DAPRD, sidecar, mesh, _NEEDS_OF_INVENTORY, services.INVENTORY in chosen),
    ]


def _of_replica(mesh: Mesh, number: int) -> list[Part]:
    """Return another inventory with its sidecar. Replicas have the same app id and share the events."""
    name, needs = replica(number), _NEEDS_OF_INVENTORY
    service = services.inventory(mesh.settings, mesh.data, needs, whole=True, name=name)
    sidecar = _sidecar(f"{name}-daprd", daprd.of_inventory(mesh.settings), mesh, needs, True)
    return [replace(part, ports=_numbered(part.ports, number)) for part in (service, sidecar)]


def _numbered(ports: Mapping[str, int], number: int) -> dict[str, int]:
    return {f"{key} (replica {number})": port for key, port in ports.items()}


def _sidecar(name: str, sidecar: Sidecar, mesh: Mesh, needs: frozenset[str], with_app: bool) -> Part:
    prefix = {INVENTORY_DAPRD: ("", "inventory_"), PRODUCTS_DAPRD: ("products_", "products_")}
    api, own = prefix.get(name, (f"{name} ", f"{name} "))
    ports = {
        key(f"{api}dapr_http_port"): sidecar.http_port,
        key(f"{api}dapr_grpc_port"): sidecar.grpc_port,
        key(f"{own}dapr_internal_port"): sidecar.internal_port,
        key(f"{own}dapr_metrics_port"): sidecar.metrics_port,
    }
    return daprd.part(name, sidecar, mesh, ports, needs, with_app=with_app)
