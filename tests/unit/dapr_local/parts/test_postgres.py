"""PostgreSQL as it is: a real server, its role and its data."""

import os
from pathlib import Path

import asyncpg
import pytest

from dapr_local.data import DataDir
from dapr_local.errors import DataError
from dapr_local.parts import postgres
from dapr_local.parts.postgres import Login
from tests.unit.dapr_local.parts.servers import addresses, shown, up
from tests.unit.dapr_local.program import PROGRAM

SUPERUSER_PASSWORD = "secret-of-the-superuser"
LOGIN = Login("clerk", "secret-of-the-clerk", "ledger")


async def _login(
    port: int, user: str = LOGIN.user, password: str = LOGIN.password, database: str = LOGIN.database
) -> asyncpg.Connection:
    return await asyncpg.connect(
        host="127.0.0.1",
        port=port,
        user=user,
        password=password,
        database=database,
        ssl=False,
    )


async def test_it_gives_the_role_its_own_database_and_no_more(port: int, data: DataDir) -> None:
    process = await up(postgres.part(port, SUPERUSER_PASSWORD, LOGIN, data))
    try:
        assert addresses(process) == {"127.0.0.1"}
        for password in (LOGIN.password, SUPERUSER_PASSWORD):
            assert password not in shown(process)
        connection = await _login(port)
        await connection.execute("CREATE TABLE mine (id text)")
        assert not await connection.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = 'clerk'")
        await connection.close()
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await _login(port, database="postgres")
        for user in (LOGIN.user, "postgres"):
            with pytest.raises(asyncpg.InvalidPasswordError):
                await _login(port, user, "a guess")
    finally:
        await process.stop()
    assert not (data.root / "postgres" / "password").exists()


async def test_it_comes_back_with_its_data_even_after_a_kill(port: int, data: DataDir) -> None:
    part = postgres.part(port, SUPERUSER_PASSWORD, LOGIN, data)
    process = await up(part)
    try:
        connection = await _login(port)
        await connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        process.kill()
        await process.wait()
        connection.terminate()

        process = await up(part)

        connection = await _login(port)
        assert await connection.fetchval("SELECT answer FROM kept") == 42
        await connection.close()
    finally:
        await process.stop()


async def test_data_of_another_postgres_is_refused(port: int, data: DataDir) -> None:
    cluster = data.folder("postgres") / "cluster"
    cluster.mkdir()
    (cluster / "PG_VERSION").write_text("9\n")

    with pytest.raises(DataError, match=r"holds data of PostgreSQL 9, installed is \d+: .*--fresh"):
        await postgres.part(port, SUPERUSER_PASSWORD, LOGIN, data).launch()


async def test_an_interrupted_start_is_begun_anew(port: int, data: DataDir) -> None:
    leftover = data.folder("postgres") / "new"
    leftover.mkdir()
    (leftover / "PG_VERSION").write_text("half a cluster")

    process = await up(postgres.part(port, SUPERUSER_PASSWORD, LOGIN, data))
    await process.stop()

    assert not leftover.exists()


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    """A folder that only its owner can enter."""
    tmp_path.chmod(0o700)
    return tmp_path


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to step down")
async def test_root_is_told_when_the_account_cannot_reach_the_data(port: int, closed: Path) -> None:
    data = DataDir.open(closed / "data", PROGRAM)

    with pytest.raises(
        DataError, match=r"^PostgreSQL does not run as root, .* cannot enter /.*ORDERS_DATA_DIR"
    ):
        await postgres.part(port, SUPERUSER_PASSWORD, LOGIN, data).launch()

    data.close()


@pytest.mark.parametrize(
    ("lock", "foreign"),
    [
        ("", True),
        ("garbage\n", True),
        (f"{os.getpid()}\n/other\n", True),
        (f"{2**22 + 1}\n", False),  # PostgreSQL itself removes the file of a process that has ended
    ],
    ids=["empty", "damaged", "another process", "no process"],
)
def test_a_lock_file_that_postgresql_would_take_for_a_running_server(lock: str, foreign: bool) -> None:
    assert postgres._is_foreign(lock, Path("/data/postgres/cluster")) is foreign


def test_a_lock_file_of_a_server_that_runs_in_the_folder_is_kept() -> None:
    assert not postgres._is_foreign(f"{os.getpid()}\n", Path.cwd())
