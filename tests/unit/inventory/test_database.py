"""Errors of PostgreSQL, and a server that stalls; the real one is in tests/platform."""

import asyncio
import struct
from collections.abc import AsyncIterator, Mapping
from typing import Any

import asyncpg
import pytest

from dapr_hero.contract.errors import Refused, Unavailable
from dapr_hero.inventory.database import Database, _errors_mapped
from dapr_hero.settings import Settings

LOGIN = {"host": "127.0.0.1", "port": "1", "username": "u", "password": "p", "database": "d"}


class Secrets:
    """Stands for the sidecar."""

    def __init__(self, secret: Mapping[str, str]) -> None:
        self.secret = secret

    async def get_secret(self, *_: str) -> Mapping[str, str]:
        return self.secret


def database(secret: Mapping[str, str], seconds: float = 5) -> Database:
    sidecar: Any = Secrets(secret)
    return Database(sidecar, Settings(request_timeout_seconds=seconds))


async def mapped(error: Exception) -> Exception:
    with pytest.raises((Refused, Unavailable)) as caught, _errors_mapped():
        raise error
    return caught.value


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.ReadOnlySQLTransactionError,  # a failover
        asyncpg.InsufficientPrivilegeError,
        asyncpg.UndefinedTableError,
        asyncpg.UndefinedColumnError,
        asyncpg.InvalidCatalogNameError,  # no such database
        asyncpg.InvalidPasswordError,
        asyncpg.SerializationError,
        asyncpg.DeadlockDetectedError,
        asyncpg.PostgresIOError,
        asyncpg.PostgresSystemError,
        asyncpg.DiskFullError,
        asyncpg.OutOfMemoryError,
        asyncpg.TooManyConnectionsError,
        asyncpg.CannotConnectNowError,
        asyncpg.AdminShutdownError,
        asyncpg.QueryCanceledError,
        asyncpg.LockNotAvailableError,
        asyncpg.InternalServerError,
        asyncpg.DataCorruptedError,
        asyncpg.InterfaceError,
        asyncpg.ConnectionDoesNotExistError,
        ConnectionRefusedError,
        TimeoutError,
    ],
)
async def test_an_error_that_concerns_the_whole_database_is_an_outage(error: type[Exception]) -> None:
    failure = await mapped(error("why"))
    assert isinstance(failure, Unavailable)
    assert failure.cause == f"{error.__name__}: why"
    assert "why" not in str(failure)  # which a caller may see


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.NumericValueOutOfRangeError,
        asyncpg.StringDataRightTruncationError,
        asyncpg.CharacterNotInRepertoireError,
        asyncpg.UntranslatableCharacterError,
        asyncpg.CheckViolationError,
        asyncpg.NotNullViolationError,
        asyncpg.ProgramLimitExceededError,  # an index entry too large
        asyncpg.exceptions._base.DataError,
    ],
)
async def test_an_error_that_concerns_the_values_is_a_refusal(error: type[Exception]) -> None:
    assert isinstance(await mapped(error("why")), Refused)


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        ({"port": None}, "port is missing"),
        ({"username": None, "password": None}, "password, username is missing"),
        ({"port": "5432x"}, "port is not a number"),
        ({"port": ""}, "port is not a number"),
    ],
)
async def test_a_bad_secret_is_named(change: dict[str, str | None], cause: str) -> None:
    secret = {key: value for key, value in {**LOGIN, **change}.items() if value is not None}
    with pytest.raises(Unavailable) as caught:
        await database(secret).fetch("SELECT 1")
    assert cause in caught.value.cause


@pytest.fixture
async def stalled() -> AsyncIterator[tuple[int, asyncio.Event]]:
    """A server that takes a login, then reads and answers nothing, cancellations included; its port."""
    ended = asyncio.Event()
    asked = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        length = struct.unpack("!I", await reader.readexactly(4))[0]
        code = struct.unpack("!I", (await reader.readexactly(length - 4))[:4])[0]
        if code == 196608:  # a login, version 3.0 of the protocol; everything else stalls at once
            writer.write(_message(b"R", struct.pack("!I", 0)))
            for name, value in _PARAMETERS.items():
                writer.write(_message(b"S", f"{name}\0{value}\0".encode()))
            writer.write(_message(b"K", struct.pack("!II", 1, 2)) + _message(b"Z", b"I"))
            await reader.read(1)
            asked.set()
        await ended.wait()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1], asked
    ended.set()
    server.close()


_PARAMETERS = {
    "server_version": "18.0",
    "client_encoding": "UTF8",
    "server_encoding": "UTF8",
    "integer_datetimes": "on",
    "standard_conforming_strings": "on",
    "TimeZone": "UTC",
}


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!I", len(body) + 4) + body


async def test_a_server_that_stalls_is_given_up_without_waiting_for_its_confirmation(
    stalled: tuple[int, asyncio.Event],
) -> None:
    """The server confirms no cancellation either, so the connection is dropped."""
    port, asked = stalled
    known = database({**LOGIN, "port": str(port)}, seconds=0.5)
    connection = await asyncpg.connect(
        host="127.0.0.1", port=port, user="u", password="p", database="d", ssl=False
    )
    known._idle.append(connection)
    with pytest.raises(Unavailable):
        await known.fetch("SELECT 1")
    assert asked.is_set()
    assert connection.is_closed()
    assert not known._idle


class Connection:
    """Stands for a connection that answers `error`, or no rows."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.closed = False

    async def fetch(self, *_: object) -> list[object]:
        if self.error:
            raise self.error
        return []

    def is_closed(self) -> bool:
        return self.closed

    def terminate(self) -> None:
        self.closed = True


@pytest.mark.parametrize(
    ("error", "is_kept"),
    [
        (asyncpg.CheckViolationError("price"), True),
        (asyncpg.ReadOnlySQLTransactionError("failover"), True),
        (asyncpg.exceptions._base.DataError("not a number"), True),
        (asyncpg.InterfaceError("another operation is in progress"), False),
        (ConnectionResetError("gone"), False),
    ],
)
async def test_a_connection_is_kept_if_the_server_has_answered(error: Exception, is_kept: bool) -> None:
    known = database(LOGIN)
    connection: Any = Connection(error)
    known._idle.append(connection)
    with pytest.raises((Refused, Unavailable)):
        await known.fetch("SELECT 1")
    assert (connection in known._idle) is is_kept
    assert connection.closed is not is_kept


async def test_a_closed_connection_is_not_used() -> None:
    known = database(LOGIN)
    good: Any = Connection()
    lost: Any = Connection()
    lost.closed = True
    known._idle += [good, lost]
    assert await known.fetch("SELECT 1") == []
    assert known._idle == [good]
