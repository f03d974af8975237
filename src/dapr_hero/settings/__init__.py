"""Every setting of the platform, once: its key, its default and what it means.

A key is `DAPR_HERO_` and the field's name in capitals, so that the environment or the `.env` of another
project changes nothing here. `DAPR_MODE` and the variables that Dapr itself defines have no prefix.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from dapr_hero.contract.errors import UserError
from dapr_hero.contract.mode import Mode
from dapr_hero.contract.routing import Topics
from dapr_hero.settings import env_file
from dapr_hero.settings.fields import ChosenPort, Port, chosen_port, named, own_port, port, token

PREFIX = "DAPR_HERO_"


class SettingsError(UserError):
    """A setting cannot be used; the message says which, why, and what to set instead."""


# How far the ports of one replica of inventory are from those of the next (local runner).
_REPLICA_STEP = 100


class Settings(BaseSettings):
    """The settings of the services and of the local runner; see the description of each field.

    A field with an alias has no prefix: Dapr (https://docs.dapr.io/reference/environment/) or OpenTelemetry
    names the variable, and the services read it in a cluster.
    """

    model_config = SettingsConfigDict(extra="ignore", frozen=True, env_ignore_empty=True, env_prefix=PREFIX)

    dapr_mode: Annotated[Mode, named("dapr_mode")] = Field(
        Mode.SDK_HTTP, description="How inventory talks to Dapr, in and out"
    )
    bulk_subscribe: bool = Field(
        True,
        description="Deliver new events in bulk, for high rates; one by one, a lone event is stored sooner",
    )
    log_level: str = Field(
        "INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="DEBUG, INFO, WARNING or ERROR"
    )
    log_format: str = Field(
        "text", pattern="^(text|json)$", description="Log lines for people (text) or machines (json)"
    )
    otel_exporter_otlp_endpoint: Annotated[str, named("otel_exporter_otlp_endpoint")] = Field(
        "",
        pattern="^(https?://[^/]+/?)?$",
        description="Where spans go, OTLP over HTTP; empty: nowhere, or to the local runner's collector",
    )
    sampling_rate: float = Field(
        1.0, ge=0, le=1, description="Share of the traces that are reported, of those that start at daprd"
    )

    inventory_host: str = Field(
        "127.0.0.1", description="Where the public REST API listens, IPv4 or IPv6 (0.0.0.0 in a cluster)"
    )
    inventory_port: Port = own_port(3000, "Public REST API")
    custom_http_port: Port = own_port(3001, "Private Dapr callbacks of mode custom-http, loopback only")
    sdk_http_port: Port = own_port(3002, "Private Dapr callbacks of mode sdk-http, loopback only")
    custom_grpc_port: Port = own_port(4001, "Private Dapr callbacks of mode custom-grpc, loopback only")
    sdk_grpc_port: Port = own_port(4002, "Private Dapr callbacks of mode sdk-grpc, loopback only")
    dead_letters_port: Port = own_port(3003, "Private API of the dead letters, loopback only")
    products_port: Port = port(50151, "gRPC API of products, loopback only: reached through Dapr")
    products_host: str = Field(
        "127.0.0.1",
        description="Where products' health and metrics listen, IPv4 or IPv6 (0.0.0.0 in a cluster)",
    )
    products_http_port: Port = port(3004, "Health and metrics of products")

    inventory_app_id: str = Field("inventory", min_length=1, description="Dapr app id of inventory")
    inventory_namespace: str = Field(
        "dapr-hero-inventory", min_length=1, description="Namespace of inventory"
    )
    products_app_id: str = Field("products", min_length=1, description="Dapr app id of products")
    products_namespace: str = Field("dapr-hero-products", min_length=1, description="Namespace of products")
    pubsub_name: str = Field("pubsub", min_length=1, description="Dapr pub/sub component")
    pubsub_topic: str = Field("inventory", min_length=1, description="Topic of the events")
    dead_letter_topic: str = Field(
        "inventory-dead-letters", min_length=1, description="Topic of the refused events"
    )
    state_store_name: str = Field("statestore", min_length=1, description="Dapr state store of each service")
    secret_store_name: str = Field("secretstore", min_length=1, description="Dapr secret store")
    postgres_secret: str = Field(
        "postgres", min_length=1, description="Secret with the database's address and login"
    )

    dapr_host: str = Field("127.0.0.1", description="Host of the service's own daprd")
    dapr_http_port: Annotated[Port, named("dapr_http_port")] = own_port(3500, "HTTP API of inventory's daprd")
    dapr_grpc_port: Annotated[Port, named("dapr_grpc_port")] = own_port(
        50001, "gRPC API of inventory's daprd"
    )
    dapr_api_token: Annotated[str, named("dapr_api_token")] = token(
        "Token that daprd wants of its callers; empty: none, or the local runner's"
    )
    app_api_token: Annotated[str, named("app_api_token")] = token(
        "Token that the services want of daprd; empty: none, or the local runner's"
    )
    products_dapr_http_port: Port = port(3501, "HTTP API of products' daprd (local runner)")
    products_dapr_grpc_port: Port = port(50002, "gRPC API of products' daprd (local runner)")
    inventory_dapr_internal_port: ChosenPort = chosen_port(
        "gRPC between the sidecars, inventory's", each_replica=True
    )
    products_dapr_internal_port: ChosenPort = chosen_port("gRPC between the sidecars, products'")
    inventory_dapr_metrics_port: ChosenPort = chosen_port("Metrics of inventory's daprd", each_replica=True)
    products_dapr_metrics_port: ChosenPort = chosen_port("Metrics of products' daprd")
    sentry_port: ChosenPort = chosen_port("Sentry, the certificate authority")
    sentry_health_port: ChosenPort = chosen_port("Health of Sentry")
    valkey_port: Port = port(6379, "Valkey: broker and state (local runner)")
    postgres_port: Port = port(5432, "PostgreSQL: widgets (local runner)")
    otlp_port: Port = port(4318, "OpenTelemetry Collector: spans in, OTLP over HTTP (local runner)")
    zipkin_port: Port = port(9411, "Zipkin: traces (local runner)")
    port_offset: int = Field(0, ge=0, le=15000, description="Added to every port above by the local runner")

    request_timeout_seconds: float = Field(5.0, gt=0, le=60, description="Longest wait for any dependency")
    sidecar_timeout_seconds: float = Field(
        60.0, gt=0, le=3600, description="Longest wait for the sidecar at start"
    )
    unready_seconds: float = Field(
        1.0, ge=0, le=60, description="At the end, not ready but still serving, for load balancers to notice"
    )
    data_dir: Path | None = Field(
        None, description="Data of the local runner; empty: the user's state folder"
    )
    daprd_path: Path | None = Field(
        None, description="A daprd to use as it is; empty: found, downloaded or built"
    )
    sentry_path: Path | None = Field(
        None, description="A Sentry to use as it is; empty: found, downloaded or built"
    )
    dapr_release_url: str = Field(
        "https://github.com/dapr/dapr/releases/download", description="Where Dapr's release archives are"
    )

    @property
    def topics(self) -> Topics:
        """The names of the topics."""
        return Topics(self.pubsub_name, self.pubsub_topic, self.dead_letter_topic)

    @property
    def callback_port(self) -> int:
        """The private port on which the chosen mode receives events."""
        number: int = getattr(self, self.dapr_mode.port_setting)
        return number

    @property
    def inventory_url(self) -> str:
        """The address of the REST API for callers on this machine."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.inventory_host, self.inventory_host)  # noqa: S104
        return f"http://{f'[{host}]' if ':' in host else host}:{self.inventory_port}"

    @property
    def products_address(self) -> str:
        """The app id under which products is invoked, with its namespace."""
        return f"{self.products_app_id}.{self.products_namespace}"

    def replica(self, number: int) -> Self:
        """Return the settings of another replica of inventory; `number` starts at 2."""
        step = (number - 1) * _REPLICA_STEP
        return self._moved(dict.fromkeys(port_fields("each_replica"), step))

    def shifted(self) -> Self:
        """Return these settings with `port_offset` added to every port, and no offset."""
        moved = self._moved(dict.fromkeys(port_fields(), self.port_offset))
        return moved.model_copy(update={"port_offset": 0})

    def _moved(self, steps: Mapping[str, int]) -> Self:
        ports = {name: port + step for name, step in steps.items() if (port := getattr(self, name))}
        for name, port in ports.items():
            if port > 65535:
                raise SettingsError(
                    f"{key(name)} would be {port}, past 65535: use a smaller {key('port_offset')}"
                )
        return self.model_copy(update=ports)

    def environment(self) -> dict[str, str]:
        """Return these settings as environment variables, for one of our processes."""
        return {key(name): text for name, text in self.texts().items()}

    def texts(self) -> dict[str, str]:
        """Return every field's value as text, by the field's name."""
        return {name: _as_text(value) for name, value in self.model_dump(mode="json").items()}


def _as_text(value: object) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def key(name: str) -> str:
    """Return the environment variable that sets the field `name`."""
    field = Settings.model_fields.get(name)
    return name.upper() if field and field.validation_alias else PREFIX + name.upper()


def port_fields(mark: str = "port") -> list[str]:
    """Return the names of all settings that are ports, in order.

    `mark` selects some: "each_replica" those that each replica has for itself, "chosen" those that the local
    runner chooses.
    """
    return [
        name
        for name, field in Settings.model_fields.items()
        if isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get(mark)
    ]


def load(**overrides: Any) -> Settings:
    """Return the settings from overrides, the environment, `.env` and the defaults, in this order.

    Raises:
        SettingsError: in one line, with the key, the fault and the default.
    """
    try:
        return Settings(**{**_from_file(Path(".env")), **overrides})
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]).removeprefix(PREFIX.lower())
        field = Settings.model_fields[name]
        value, default = first["input"] if field.repr else "(not shown)", field.default
        raise SettingsError(
            f"{key(name)}={value} cannot be used: {first['msg']}. Default: {_as_text(default)}"
        ) from None


def _from_file(path: Path) -> dict[str, str]:
    """Return the fields that our `.env` sets and the environment does not."""
    try:
        values = env_file.read(path)
    except UnicodeDecodeError:
        raise SettingsError(f"{path} is not UTF-8 text: write it again, or remove it") from None
    names = {key(name): name for name in Settings.model_fields}
    for unknown in values.keys() - names.keys():
        raise SettingsError(
            f"{path}: {unknown} is not a setting of dapr-hero: correct it, or remove that line"
        )
    return {names[each]: value for each, value in values.items() if value and each not in os.environ}
