"""The secrets in the cluster: generated once, and created only in the namespaces that need them."""

import base64
import secrets
from collections.abc import Callable, Mapping

from dapr_hero.cluster import kubectl
from dapr_hero.cluster.errors import ClusterError
from dapr_hero.settings import Settings

INFRASTRUCTURE = "dapr-hero"
# What .env says is of the local platform: the manifests have the defaults, and so has what fits them.
_DEFAULTS = Settings.model_construct()
_SERVICES = (_DEFAULTS.inventory_namespace, _DEFAULTS.products_namespace)
_TOKENS = ("dapr-api-token", "app-api-token")

Values = Mapping[str, str]


def create_missing(*, made_here: bool) -> None:
    """Make those that are missing; `made_here`: Valkey and PostgreSQL are ours, and so are their passwords.

    Raises: ClusterError that names those of others which are missing.
    """
    if made_here:
        _create_missing_passwords()
    else:
        _require()
    for namespace in _SERVICES:
        for token in _TOKENS:
            _made(namespace, token, lambda: {"token": _random()})


def _create_missing_passwords() -> None:
    valkey = _made(INFRASTRUCTURE, "valkey", _for_valkey)
    for namespace in _SERVICES:
        _put(namespace, "valkey", {"password": valkey["password"]})
    postgres = _made(
        INFRASTRUCTURE,
        "postgres",
        lambda: {"superuser-password": _random(), "inventory-password": _random()},
    )
    _made(
        _DEFAULTS.inventory_namespace,
        _DEFAULTS.postgres_secret,
        lambda: {
            "host": f"postgres.{INFRASTRUCTURE}.svc.cluster.local",
            "port": str(_DEFAULTS.postgres_port),
            "username": "inventory",
            "password": postgres["inventory-password"],
            "database": "inventory",
        },
    )


def _for_valkey() -> Values:
    password = _random()
    return {"password": password, "password.conf": f"requirepass {password}\n"}


def _require() -> None:
    needed = [(namespace, "valkey") for namespace in _SERVICES]
    needed.append((_DEFAULTS.inventory_namespace, _DEFAULTS.postgres_secret))
    missing = [f"{name} in {namespace}" for namespace, name in needed if _found(namespace, name) is None]
    if missing:
        raise ClusterError(
            f"secrets are missing: {', '.join(missing)}; docs/guides/deploy.md says what is in them"
        )


def _made(namespace: str, name: str, make: Callable[[], Values]) -> Values:
    """Return the secret; create it if it does not exist."""
    found = _found(namespace, name)
    if found is not None:
        return found
    values = make()
    _put(namespace, name, values)
    return values


def _found(namespace: str, name: str) -> Values | None:
    secret = kubectl.find("secret", name, f"--namespace={namespace}")
    data = secret.get("data") if secret else None  # None also for an empty secret
    return {key: base64.b64decode(value).decode() for key, value in data.items()} if data else None


def _put(namespace: str, name: str, values: Values) -> None:
    labels = {"app.kubernetes.io/part-of": "dapr-hero"}
    metadata = {"name": name, "namespace": namespace, "labels": labels}
    kubectl.apply({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": dict(values)})


def _random() -> str:
    return secrets.token_urlsafe(24)
