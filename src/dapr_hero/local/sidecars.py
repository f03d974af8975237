"""The sidecars of inventory and products, as the settings have them."""

from pathlib import Path

from dapr_hero.local.credentials import write_secrets
from dapr_hero.local.resources import Registration, values, write
from dapr_hero.service.limits import MAX_MESSAGE_BYTES
from dapr_hero.settings import Settings
from dapr_local.data import DataDir
from dapr_local.parts.daprd import Daprd, Files, Mesh

_LOG_LEVELS = {"DEBUG": "debug", "INFO": "info", "WARNING": "warn", "ERROR": "error"}


def of_inventory(settings: Settings) -> Daprd:
    """Return the sidecar of inventory, which calls the app on the port of the chosen mode."""
    return Daprd(
        app_id=settings.inventory_app_id,
        namespace=settings.inventory_namespace,
        http_port=settings.dapr_http_port,
        grpc_port=settings.dapr_grpc_port,
        internal_port=settings.inventory_dapr_internal_port,
        metrics_port=settings.inventory_dapr_metrics_port,
        app_port=settings.callback_port,
        app_protocol=settings.dapr_mode.protocol,
        config="inventory",
    )


def of_products(settings: Settings) -> Daprd:
    """Return the sidecar of products."""
    return Daprd(
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


def mesh(
    settings: Settings,
    data: DataDir,
    binary: Path,
    registration: Registration = Registration.DECLARATIVE,
    *,
    mtls: bool = True,
) -> Mesh:
    """Return the options that all sidecars share."""

    def write_files(config: str, target: Path) -> Files:
        secrets = write_secrets(settings, data)
        placeholders = values(settings, secrets, mtls=mtls)
        return write(config, target, placeholders, registration)

    return Mesh(
        binary,
        data,
        write_files,
        sentry_port=settings.sentry_port if mtls else None,
        api_token=settings.dapr_api_token,
        app_token=settings.app_api_token,
        log_level=_LOG_LEVELS[settings.log_level],
        # As the services: a full batch of the longest items.
        max_message_bytes=MAX_MESSAGE_BYTES,
        apps_subscribe=registration is Registration.PROGRAMMATIC,
    )
