"""daprd: the sidecar of one app id, with its resources."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dapr_hero.local import sentry
from dapr_hero.local.credentials import write_secrets
from dapr_hero.local.data import DataDir
from dapr_hero.local.resources import Subscription, render, values
from dapr_hero.service.limits import MAX_MESSAGE_BYTES
from dapr_hero.settings import Settings
from dapr_local.parts import readiness
from dapr_local.parts.part import Part, Stage
from dapr_local.supervise.process import Process

GRACEFUL_SECONDS = 5


@dataclass(frozen=True)
class Sidecar:
    """Whose sidecar it is, and where it listens."""

    app_id: str
    namespace: str
    http_port: int
    grpc_port: int
    internal_port: int
    metrics_port: int
    app_port: int | None = None
    """Where the app listens; None: an app that only calls."""
    app_protocol: str = "http"
    config: str = "inventory"
    """The folder of `config/` with its resources; those scoped to another app id do not apply."""
    part_name: str = ""
    """Where there is another of the same app id; else it follows from that."""

    @property
    def name(self) -> str:
        """The name of the part."""
        return self.part_name or f"{self.app_id}-daprd"


@dataclass(frozen=True)
class Mesh:
    """The options that all sidecars of a platform share."""

    settings: Settings
    data: DataDir
    binary: Path
    subscription: Subscription = Subscription.DECLARATIVE
    mtls: bool = True
    tracing: bool = True


def of_inventory(settings: Settings) -> Sidecar:
    """Return the sidecar of inventory, which calls the app on the port of the chosen mode."""
    return Sidecar(
        app_id=settings.inventory_app_id,
        namespace=settings.inventory_namespace,
        http_port=settings.dapr_http_port,
        grpc_port=settings.dapr_grpc_port,
        internal_port=settings.inventory_dapr_internal_port,
        metrics_port=settings.inventory_dapr_metrics_port,
        app_port=settings.callback_port,
        app_protocol=settings.dapr_mode.protocol,
    )


def of_products(settings: Settings) -> Sidecar:
    """Return the sidecar of products."""
    return Sidecar(
        app_id=settings.products_app_id,
        namespace=settings.products_namespace,
        http_port=settings.products_dapr_http_port,
        grpc_port=settings.products_dapr_grpc_port,
        internal_port=settings.products_dapr_internal_port,
        metrics_port=settings.products_dapr_metrics_port,
        app_port=settings.products_port,
        app_protocol="grpc",
        config="products",
    )


def part(
    name: str,
    sidecar: Sidecar,
    mesh: Mesh,
    ports: Mapping[str, int],
    needs: frozenset[str],
    *,
    with_app: bool,
) -> Part:
    """Return the sidecar as a part; `ports` has the keys of the settings.

    `with_app`: it is ready when its app listens too, not already when its API does.
    See https://docs.dapr.io/operations/resiliency/health-checks/sidecar-health/
    """
    health = "healthz" if with_app else "healthz/outbound"

    async def launch() -> Process:
        secrets = write_secrets(mesh.settings, mesh.data)
        placeholders = values(mesh.settings, secrets, mtls=mesh.mtls, tracing=mesh.tracing)
        target = mesh.data.run / name
        configuration, resources = render(sidecar.config, target, placeholders, mesh.subscription)
        argv: list[str | Path] = [
            mesh.binary,
            *_flags(sidecar, mesh),
            # Relative ones: daprd takes a comma in a path for the end of it.
            f"--config={configuration.name}",
            f"--resources-path={resources.name}",
        ]
        return Process(name, argv, mesh.data.log(name), env=_environment(sidecar, mesh), folder=target)

    async def healthy() -> bool:
        return await readiness.http(f"http://127.0.0.1:{sidecar.http_port}/v1.0/{health}")

    return Part(
        name,
        Stage.SIDECAR,
        launch,
        healthy,
        needs=needs,
        ports=ports,
        ready_seconds=60.0,
        stop_seconds=GRACEFUL_SECONDS + 5.0,
    )


def _flags(sidecar: Sidecar, mesh: Mesh) -> list[str]:
    """See https://docs.dapr.io/reference/arguments-annotations-overview/"""
    flags = [
        f"--app-id={sidecar.app_id}",
        f"--dapr-http-port={sidecar.http_port}",
        f"--dapr-grpc-port={sidecar.grpc_port}",
        "--dapr-listen-addresses=127.0.0.1",
        f"--dapr-internal-grpc-port={sidecar.internal_port}",
        "--dapr-internal-grpc-listen-address=127.0.0.1",
        f"--metrics-port={sidecar.metrics_port}",
        "--metrics-listen-address=127.0.0.1",
        f"--dapr-graceful-shutdown-seconds={GRACEFUL_SECONDS}",
        # As the services: a full batch of the longest items.
        f"--max-body-size={MAX_MESSAGE_BYTES}",
        f"--log-level={_LEVELS[mesh.settings.log_level]}",
        "--placement-host-address=",
        "--scheduler-host-address=",
    ]
    if sidecar.app_port is not None:
        flags += [f"--app-port={sidecar.app_port}", f"--app-protocol={sidecar.app_protocol}"]
    if mesh.subscription is Subscription.DECLARATIVE:
        # With two registrations of one topic the app's own would win, and lose bulk and dead letters.
        flags.append("--disable-init-endpoints=subscribe")
    if mesh.mtls:
        flags += [
            "--enable-mtls",
            f"--sentry-address=127.0.0.1:{mesh.settings.sentry_port}",
            f"--control-plane-trust-domain={sentry.TRUST_DOMAIN}",
            f"--control-plane-namespace={sentry.NAMESPACE}",
        ]
    return flags


_LEVELS = {"DEBUG": "debug", "INFO": "info", "WARNING": "warn", "ERROR": "error"}


def _environment(sidecar: Sidecar, mesh: Mesh) -> dict[str, str]:
    environment = {
        "NAMESPACE": sidecar.namespace,
        "DAPR_HOST_IP": "127.0.0.1",
        # Not among the arguments, which everybody on the machine can read.
        "DAPR_API_TOKEN": mesh.settings.dapr_api_token,
        "APP_API_TOKEN": mesh.settings.app_api_token,
    }
    if mesh.mtls:
        environment["DAPR_TRUST_ANCHORS"] = sentry.trust_anchors(mesh.data)
    return environment
