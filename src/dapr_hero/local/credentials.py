"""The passwords of the stores and the tokens of daprd: generated once, kept in the data directory.

Passwords are never shown. `dapr-hero token` prints the token of daprd.
"""

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from dapr_hero.local.data import location
from dapr_hero.settings import Settings
from dapr_local.data import DataDir
from dapr_local.errors import DataError

DATABASE = "inventory"
ROLE = "inventory"
_FILE = "passwords.json"
_SECRETS = "secrets.json"
_TOKENS = ("dapr_api_token", "app_api_token")


def _random() -> str:
    return secrets.token_urlsafe(24)


@dataclass(frozen=True, repr=False)
class Passwords:
    """A password for each login, and the tokens. The superuser's password never leaves the runner."""

    valkey: str
    postgres_superuser: str
    postgres_inventory: str
    # Files of earlier versions have none, and get theirs at the next start.
    dapr_api_token: str = field(default_factory=_random)
    app_api_token: str = field(default_factory=_random)

    @classmethod
    def of(cls, data: DataDir) -> "Passwords":
        """Return the passwords of this data, generated on first use. Raises: DataError when their file is damaged."""
        path = data.root / _FILE
        if not path.exists():
            _write_private(path, asdict(cls(_random(), _random(), _random())))
        kept = _read(path)
        try:
            passwords = cls(**kept)
        except TypeError:
            raise _damaged(path) from None
        if asdict(passwords) != kept:
            _write_private(path, asdict(passwords))
        return passwords


def keep_tokens(settings: Settings, data: DataDir) -> Settings:
    """Return the settings with both tokens: given ones, which are saved, or the saved ones."""
    given = {name: getattr(settings, name) for name in _TOKENS if getattr(settings, name)}
    _write_private(data.root / _FILE, {**asdict(Passwords.of(data)), **given})
    return with_tokens(settings)


def with_tokens(settings: Settings) -> Settings:
    """Return the settings with the tokens of the platform in their data directory, unless they set others.

    Where there is no such platform they are as they were. Raises: DataError when its file is damaged.
    """
    try:
        kept = _read(location(settings) / _FILE)
    except OSError:
        return settings
    tokens = {name: getattr(settings, name) or kept.get(name, "") for name in _TOKENS}
    return settings.model_copy(update=tokens)


def write_secrets(settings: Settings, data: DataDir) -> Path:
    """Write what Dapr's `secretstores.local.file` serves, with today's ports; the path of the file.

    See https://docs.dapr.io/reference/components-reference/supported-secret-stores/file-secret-store/
    """
    passwords = Passwords.of(data)
    login = {
        "host": "127.0.0.1",
        "port": str(settings.postgres_port),
        "username": ROLE,
        "password": passwords.postgres_inventory,
        "database": DATABASE,
    }
    path = data.root / _SECRETS
    _write_private(path, {settings.postgres_secret: login, "valkey": {"password": passwords.valkey}})
    return path


def read_secrets(settings: Settings) -> Mapping[str, Mapping[str, str]]:
    """Return the secrets that `write_secrets` has written for these settings."""
    return _read(location(settings) / _SECRETS)


def _read(path: Path) -> Mapping[str, Any]:
    try:
        kept = json.loads(path.read_text())
    except ValueError:
        kept = None
    if not isinstance(kept, dict):
        raise _damaged(path)
    return kept


def _damaged(path: Path) -> DataError:
    return DataError(f"{path} is damaged: restore it, or start with --fresh to forget the data")


def _write_private(path: Path, content: object) -> None:
    """Replace the file in one step; it is the owner's alone from its first byte on."""
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
