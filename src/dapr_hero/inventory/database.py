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
        self._timeout = settings.request_timeout_seconds
        self._opening: asyncio.Task[asyncpg.Pool] | None = None

    async def fetch(self, query: str, *arguments: object) -> list[asyncpg.Record]:
        """Run one statement. Raises: Unavailable, after the request timeout at the latest."""
        async with _errors_mapped(), asyncio.timeout(self._timeout):
            pool = await self._pool()
            # The release has the acquisition's timeout: without one, a server that stalls would hold it.
            async with pool.acquire(timeout=self._timeout) as connection:
                return await connection.fetch(query, *arguments)

    async def close(self) -> None:
        if not self._opening:
            return
        self._opening.cancel()
        [pool] = await asyncio.gather(self._opening, return_exceptions=True)
        if isinstance(pool, asyncpg.Pool):
            await pool.close()

    async def _pool(self) -> asyncpg.Pool:
        """Opened once however many ask, and however soon they give up; after a failure, anew."""
        if not self._opening or (self._opening.done() and self._opening.exception()):
            self._opening = asyncio.create_task(self._open())
        return await asyncio.shield(self._opening)

    async def _open(self) -> asyncpg.Pool:
        """Connect, and bring the schema up to date."""
        pool = await asyncpg.create_pool(
            connect=self._connect,
            min_size=1,
            max_size=_POOL,
            timeout=self._timeout,
            command_timeout=self._timeout,
        )
        try:
            async with pool.acquire(timeout=self._timeout) as connection:
                await migrate(connection)
        except BaseException:
            pool.terminate()
            raise
        return pool

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
