"""The connection to PostgreSQL: its login from the secret store, its schema from `migrations/`."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib import resources
from typing import Any

import asyncpg
import structlog

from dapr_hero.errors import Unavailable
from dapr_hero.modes import Sidecar
from dapr_hero.settings import Settings

log = structlog.get_logger()

_NAME = "postgresql"
_POOL = 4
# Any number, as long as it is always the same: only one replica migrates at a time.
_MIGRATION_LOCK = 7_303_014


class Database:
    """A pool of connections that opens at its first use, and after an outage by itself."""

    def __init__(self, sidecar: Sidecar, settings: Settings) -> None:
        self._sidecar = sidecar
        self._settings = settings
        self._opening = asyncio.Lock()
        self._pool: asyncpg.Pool | None = None

    async def fetch(self, query: str, *arguments: object) -> list[asyncpg.Record]:
        """Run one statement. Raises: Unavailable."""
        async with _errors_mapped():
            pool = self._pool or await self._open()
            return await pool.fetch(query, *arguments)

    async def close(self) -> None:
        if self._pool:
            await self._pool.close()

    async def _open(self) -> asyncpg.Pool:
        """Connect and bring the schema up to date, once however many ask."""
        async with self._opening:
            if not self._pool:
                timeout = self._settings.request_timeout_seconds
                pool = await asyncpg.create_pool(
                    connect=self._connect,
                    min_size=1,
                    max_size=_POOL,
                    timeout=timeout,
                    command_timeout=timeout,
                )
                async with pool.acquire() as connection:
                    await migrate(connection)
                self._pool = pool
            return self._pool

    async def _connect(self, *_: Any, **options: Any) -> asyncpg.Connection:
        # Asked for anew for each connection, so that a rotated secret needs no restart.
        secret = await self._sidecar.get_secret(
            self._settings.secret_store_name, self._settings.postgres_secret
        )
        return await asyncpg.connect(**_login(secret), **options)


async def migrate(connection: asyncpg.Connection | asyncpg.pool.PoolConnectionProxy) -> None:
    """Apply, in order and each once, the numbered files that this database has not seen."""
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _MIGRATION_LOCK)
        await connection.execute("CREATE TABLE IF NOT EXISTS migrations (name text PRIMARY KEY)")
        applied = {row["name"] for row in await connection.fetch("SELECT name FROM migrations")}
        for name, sql in _migrations():
            if name not in applied:
                log.info("migrating the database", migration=name)
                await connection.execute(sql)
                await connection.execute("INSERT INTO migrations VALUES ($1)", name)


def _migrations() -> list[tuple[str, str]]:
    files = resources.files("dapr_hero.inventory").joinpath("migrations").iterdir()
    return sorted((file.name, file.read_text()) for file in files if file.name.endswith(".sql"))


def _login(secret: Mapping[str, str]) -> dict[str, Any]:
    try:
        names = {"host": "host", "user": "username", "password": "password", "database": "database"}
        return {**{ours: secret[theirs] for ours, theirs in names.items()}, "port": int(secret["port"])}
    except (KeyError, ValueError) as error:
        log.error("the database's secret lacks a key or has a bad port", key=type(error).__name__)
        raise Unavailable(_NAME) from None


@asynccontextmanager
async def _errors_mapped() -> AsyncIterator[None]:
    """PostgreSQL not there, too slow or shutting down is Unavailable; anything else is a fault of ours."""
    try:
        yield
    except (
        OSError,
        TimeoutError,
        asyncpg.InterfaceError,
        asyncpg.PostgresConnectionError,
        asyncpg.InvalidAuthorizationSpecificationError,
        asyncpg.OperatorInterventionError,
        asyncpg.InsufficientResourcesError,
    ) as error:
        log.warning("database unavailable", error=type(error).__name__)
        raise Unavailable(_NAME) from None
