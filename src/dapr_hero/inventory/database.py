"""The connection to PostgreSQL: its login from the secret store, its schema from `migrations/`."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib import resources
from typing import Any, TypeAlias

import asyncpg
import structlog

from dapr_hero.contract.errors import Refused, Unavailable
from dapr_hero.settings import Settings
from dapr_hero.sidecar.interface import Sidecar

log = structlog.get_logger()

Connection: TypeAlias = "asyncpg.Connection | asyncpg.pool.PoolConnectionProxy"

_NAME = "postgresql"
_POOL = 4
# Any number, as long as it is always the same: only one replica migrates at a time.
_MIGRATION_LOCK = 7_303_014


class Database:
    """A pool of connections that opens on first use, and again after an outage."""

    def __init__(self, sidecar: Sidecar, settings: Settings) -> None:
        self._sidecar = sidecar
        self._settings = settings
        self._timeout = settings.request_timeout_seconds
        self._opening: asyncio.Task[asyncpg.Pool] | None = None

    async def fetch(self, query: str, *arguments: object) -> list[asyncpg.Record]:
        """Run one statement and return its rows.

        Raises: Refused; Unavailable, after the request timeout at the latest.
        """
        async with _errors_mapped(), asyncio.timeout(self._timeout):
            pool = await self._pool()
            async with pool.acquire(timeout=self._timeout) as connection:
                try:
                    return await connection.fetch(query, *arguments)
                except (asyncio.CancelledError, TimeoutError):
                    # The release would wait for a server that stalls to confirm the cancellation.
                    connection.terminate()
                    raise

    async def close(self) -> None:
        if not self._opening:
            return
        self._opening.cancel()
        [pool] = await asyncio.gather(self._opening, return_exceptions=True)
        if isinstance(pool, asyncpg.Pool):
            await pool.close()

    async def _pool(self) -> asyncpg.Pool:
        """Return the pool. It is opened once for all concurrent callers, and again after a failure."""
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
        # Read again for each connection, so that a rotated secret needs no restart.
        secret = await self._sidecar.get_secret(
            self._settings.secret_store_name, self._settings.postgres_secret
        )
        return await asyncpg.connect(**_login(secret), **options)


async def migrate(connection: Connection) -> None:
    """Apply, in order and each once, the numbered files that this database has not seen.

    A schema that is up to date is only read, so that a database which is read-only can be used.
    """
    if not await _pending(connection):
        return
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _MIGRATION_LOCK)
        await connection.execute("CREATE TABLE IF NOT EXISTS migrations (name text PRIMARY KEY)")
        for name, sql in await _pending(connection):
            log.info("migrating the database", migration=name)
            await connection.execute(sql)
            await connection.execute("INSERT INTO migrations VALUES ($1)", name)


async def _pending(connection: Connection) -> list[tuple[str, str]]:
    """Return the name and the text of each migration to apply."""
    if await connection.fetchval("SELECT to_regclass('migrations') IS NULL"):
        return _migrations()
    applied = {row["name"] for row in await connection.fetch("SELECT name FROM migrations")}
    return [(name, sql) for name, sql in _migrations() if name not in applied]


def _migrations() -> list[tuple[str, str]]:
    files = resources.files("dapr_hero.inventory").joinpath("migrations").iterdir()
    return sorted((file.name, file.read_text()) for file in files if file.name.endswith(".sql"))


def _login(secret: Mapping[str, str]) -> dict[str, Any]:
    names = {"host": "host", "user": "username", "password": "password", "database": "database"}
    missing = sorted({*names.values(), "port"} - secret.keys())
    if missing:
        raise Unavailable(_NAME, f"the database secret is incomplete: {', '.join(missing)} is missing")
    if not secret["port"].isdecimal():
        raise Unavailable(_NAME, "the database secret is wrong: its port is not a number")
    return {**{ours: secret[theirs] for ours, theirs in names.items()}, "port": int(secret["port"])}


# Errors that concern the values of a statement, by the classes of
# https://www.postgresql.org/docs/current/errcodes-appendix.html: 22, 23 and 54 (an index entry too large).
_REFUSALS = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.ProgramLimitExceededError,
    asyncpg.exceptions._base.DataError,  # of the client, which the server's hides in the public module
)


@asynccontextmanager
async def _errors_mapped() -> AsyncIterator[None]:
    """Map the errors of PostgreSQL and of its client to the two kinds of failure.

    An error about the values is a refusal. Every other one concerns the whole database, whatever the item:
    it does not answer, is read-only, has no such table, or denies access (ADR 24).
    """
    try:
        yield
    except _REFUSALS as error:
        raise Refused(_NAME, type(error).__name__) from None
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise Unavailable(_NAME, f"{type(error).__name__}: {error}") from None
