"""Dapr's resources: the templates of `config/`, filled in from the settings, one folder for each sidecar."""

import json
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from dapr_hero.contract.kinds import DEFAULT, KINDS
from dapr_hero.settings import Settings
from dapr_local.parts.daprd import Files

if TYPE_CHECKING:
    from jinja2 import Environment


class Registration(StrEnum):
    """The way in which daprd learns the subscriptions of inventory.

    See https://docs.dapr.io/developing-applications/building-blocks/pubsub/subscription-methods/
    """

    DECLARATIVE = "declarative"
    PROGRAMMATIC = "programmatic"


def values(settings: Settings, secrets_file: Path, *, mtls: bool) -> dict[str, str]:
    """Return the placeholders' values: each setting by its name in capitals, and what the parts decide."""
    scheme, _, address = settings.otel_exporter_otlp_endpoint.rstrip("/").partition("://")
    return {
        **{name.upper(): text for name, text in settings.texts().items()},
        "PRODUCTS_ADDRESS": settings.products_address,
        "VALKEY_ADDRESS": f"127.0.0.1:{settings.valkey_port}",
        "SECRETS_FILE": str(secrets_file),
        "OTLP_ADDRESS": address or "127.0.0.1",  # daprd wants one, even for no spans
        "OTLP_IS_SECURE": str(scheme == "https").lower(),
        "SAMPLING_RATE": str(settings.sampling_rate) if address else "0",
        "DEFAULT_ACTION": "deny" if mtls else "allow",
    }


def write(
    config: str,
    target: Path,
    placeholders: Mapping[str, str],
    registration: Registration = Registration.DECLARATIVE,
) -> Files:
    """Write the rendered templates of `config` into `target`.

    Each file holds one document: daprd silently skips a Resiliency that shares its file with others.
    """
    files = Files(target / "configuration.yaml", target / "resources")
    files.resources.mkdir(parents=True, exist_ok=True)
    for name, text in rendered(config, placeholders).items():
        if name == "subscription.yaml" and registration is Registration.PROGRAMMATIC:
            continue
        path = files.configuration if name == files.configuration.name else files.resources / name
        path.write_text(text)
    return files


def rendered(config: str, placeholders: Mapping[str, str]) -> dict[str, str]:
    """Return the rendered text of each file of `config`."""
    quotable = {key: json.dumps(value)[1:-1] for key, value in placeholders.items()}
    templates, folder = _templates(), f"{config}/"
    return {
        path.removeprefix(folder): templates.get_template(path).render(quotable)
        for path in templates.list_templates()
        if path.startswith(folder)
    }


@cache
def _templates() -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined  # only a start of sidecars needs it

    environment = Environment(  # noqa: S701 - not HTML; the values are escaped for YAML's double quotes
        loader=PackageLoader("dapr_hero.local", "config"),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(KINDS=KINDS, DEFAULT=DEFAULT)
    return environment
