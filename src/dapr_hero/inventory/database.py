"""The connection to PostgreSQL: its login from the secret store, its schema from `migrations/`."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import resources
from typing import Any

import asyncpg
import structlog

from dapr_hero.contract.errors import Refused, Unavailable
from dapr_hero.settings import Settings
from dapr_hero.sidecar.interface import Sidecar

log = structlog.get_logger()

_NAME = "postgresql"
_CONNECTIONS = 4
# Any number, as long as it is always the same: only one replica migrates at a time.
_MIGRATION_LOCK = 7_303_014


class Database:
    """A few connections, opened when they are needed and kept for the next statement.

    asyncpg's own pool resets a connection after each use, which costs a round trip. A single statement leaves no
    state behind, so there is nothing to reset (ADR 37).
    """

    def __init__(self, sidecar: Sidecar, settings: Settings) -> None:
        self._sidecar = sidecar
        self._settings = settings
        self._timeout = settings.request_timeout_seconds
        self._idle: list[asyncpg.Connection] = []
        self._slots = asyncio.Semaphore(_CONNECTIONS)
        self._migrating: asyncio.Task[None] | None = None

    async def fetch(self, query: str, *arguments: object) -> list[asyncpg.Record]:
        """Run one statement and return its rows.

        Raises: Refused; Unavailable, after the request timeout at the latest.
        """
        with _errors_mapped():
            async with asyncio.timeout(self._timeout), self._slots:
                connection = await self._connection()
                try:
                    return await connection.fetch(query, *arguments)
                except (asyncpg.PostgresError, *_REFUSALS):
                    raise
                except BaseException:
                    # It may be in the middle of an answer; a server that stalls would not confirm a cancellation.
                    connection.terminate()
                    raise
                finally:
                    if not connection.is_closed():
                        self._idle.append(connection)

    async def close(self) -> None:
        """Close the connections; the caller has no statement under way."""
        if self._migrating:
            self._migrating.cancel()
            await asyncio.gather(self._migrating, return_exceptions=True)
        await asyncio.gather(
            *(each.close(timeout=self._timeout) for each in self._idle), return_exceptions=True
        )

    async def _connection(self) -> asyncpg.Connection:
        """Return an open connection to a database whose schema is up to date."""
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                return connection
        # Once for all concurrent callers, and again after a failure.
        if not self._migrating or (self._migrating.done() and self._migrating.exception()):
            self._migrating = asyncio.create_task(self._migrate())
        await asyncio.shield(self._migrating)
        return self._idle.pop() if self._idle else await self._connect()

    async def _migrate(self) -> None:
        connection = await self._connect()
        try:
            await migrate(connection)
        except BaseException:
            connection.terminate()
            raise
        self._idle.append(connection)

    async def _connect(self) -> asyncpg.Connection:
        # Read again for each connection, so that a rotated secret needs no restart.
        secret = await self._sidecar.get_secret(
            self._settings.secret_store_name, self._settings.postgres_secret
        )
        return await asyncpg.connect(**_login(secret), timeout=self._timeout, command_timeout=self._timeout)


async def migrate(connection: asyncpg.Connection) -> None:
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


async def _pending(connection: asyncpg.Connection) -> list[tuple[str, str]]:
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


@contextmanager
def _errors_mapped() -> Iterator[None]:
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
