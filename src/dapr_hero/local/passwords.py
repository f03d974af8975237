"""The passwords of the stores: generated once, kept in the data directory, shown to nobody else."""

import json
import os
import secrets
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from dapr_hero.local.data import DataDir
from dapr_hero.local.errors import DataError
from dapr_hero.settings import Settings

DATABASE = "inventory"
ROLE = "inventory"


@dataclass(frozen=True, repr=False)
class Passwords:
    """One for each login. The superuser's never leaves the runner."""

    valkey: str
    postgres_superuser: str
    postgres_inventory: str

    @classmethod
    def of(cls, data: DataDir) -> "Passwords":
        """Those of this data, generated at first. Raises: DataError when their file is damaged."""
        path = data.root / "passwords.json"
        if not path.exists():
            _write_private(path, asdict(cls(*(secrets.token_urlsafe(24) for _ in fields(cls)))))
        try:
            return cls(**json.loads(path.read_text()))
        except (ValueError, TypeError):
            raise DataError(
                f"{path} is damaged: restore it, or start with --fresh to forget the data"
            ) from None


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
    path = data.root / "secrets.json"
    _write_private(path, {settings.postgres_secret: login, "valkey": {"password": passwords.valkey}})
    return path


def _write_private(path: Path, content: object) -> None:
    """Replace the file in one step; it is the owner's alone from its first byte on."""
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
