"""Valkey and PostgreSQL as they are: real servers, and their passwords."""

import asyncio
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest

from dapr_hero.local import postgres, valkey
from dapr_hero.local.credentials import Passwords
from dapr_hero.local.data import DataDir
from dapr_hero.local.ports import on_free_ports
from dapr_hero.settings import Settings
from dapr_local.errors import DataError
from dapr_local.parts.part import Part
from dapr_local.supervise.process import Process


@pytest.fixture
def settings() -> Iterator[Settings]:
    """With a directory that PostgreSQL's account can reach, unlike pytest's own, when root runs the tests."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield on_free_ports(data_dir=Path(folder) / "data")


@pytest.fixture
def data(settings: Settings) -> Iterator[DataDir]:
    data = DataDir.open(settings)
    yield data
    data.close()


async def up(part: Part) -> Process:
    process = await part.launch()
    await process.start()
    await process.wait_ready(part.ready, part.ready_seconds)
    await part.settle()
    return process


def shown(process: Process) -> str:
    """What everybody on the machine can read of it, and its log."""
    return " ".join([*psutil.Process(process.pid).cmdline(), process.log.read_text()])


def addresses(process: Process) -> set[str]:
    return {c.laddr.ip for c in psutil.Process(process.pid).net_connections() if c.status == "LISTEN"}


async def command(settings: Settings, data: DataDir, words: str) -> bytes:
    """What Valkey answers, behind the +OK to the password."""
    reader, writer = await asyncio.open_connection("127.0.0.1", settings.valkey_port)
    writer.write(f"AUTH {Passwords.of(data).valkey}\r\n{words}\r\nQUIT\r\n".encode())
    answer = await reader.read()
    writer.close()
    return answer.removeprefix(b"+OK\r\n")


async def test_valkey_keeps_its_password_and_its_data(settings: Settings, data: DataDir) -> None:
    part = valkey.part(settings, data)
    process = await up(part)
    try:
        assert Passwords.of(data).valkey not in shown(process)
        assert addresses(process) == {"127.0.0.1"}
        assert await command(settings, data, "SET key kept") == b"+OK\r\n+OK\r\n"
        process.kill()
        await process.wait()
        process = await up(part)
        assert b"kept" in await command(settings, data, "GET key")
    finally:
        await process.stop()


async def test_valkey_is_not_ready_for_who_has_no_password(
    settings: Settings, data: DataDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = valkey.part(settings, data)
    process = await up(part)
    try:
        (data.root / "passwords.json").unlink()
        assert not await part.ready()
    finally:
        await process.stop()


async def _login(
    settings: Settings, user: str, password: str, database: str = "inventory"
) -> asyncpg.Connection:
    return await asyncpg.connect(
        host="127.0.0.1",
        port=settings.postgres_port,
        user=user,
        password=password,
        database=database,
        ssl=False,
    )


async def test_postgres_gives_the_service_its_own_database_and_no_more(
    settings: Settings, data: DataDir
) -> None:
    process = await up(postgres.part(settings, data))
    passwords = Passwords.of(data)
    try:
        assert addresses(process) == {"127.0.0.1"}
        for password in (passwords.postgres_inventory, passwords.postgres_superuser):
            assert password not in shown(process)
        connection = await _login(settings, "inventory", passwords.postgres_inventory)
        await connection.execute("CREATE TABLE mine (id text)")
        assert not await connection.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = 'inventory'")
        await connection.close()
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await _login(settings, "inventory", passwords.postgres_inventory, "postgres")
        for user in ("inventory", "postgres"):
            with pytest.raises(asyncpg.InvalidPasswordError):
                await _login(settings, user, "a guess")
    finally:
        await process.stop()
    assert not (data.root / "postgres" / "password").exists()


async def test_postgres_comes_back_with_its_data_even_after_a_kill(settings: Settings, data: DataDir) -> None:
    part = postgres.part(settings, data)
    process = await up(part)
    try:
        connection = await _login(settings, "inventory", Passwords.of(data).postgres_inventory)
        await connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        process.kill()
        await process.wait()
        connection.terminate()

        process = await up(part)

        connection = await _login(settings, "inventory", Passwords.of(data).postgres_inventory)
        assert await connection.fetchval("SELECT answer FROM kept") == 42
        await connection.close()
    finally:
        await process.stop()


async def test_data_of_another_postgres_is_refused(settings: Settings, data: DataDir) -> None:
    cluster = data.folder("postgres") / "cluster"
    cluster.mkdir()
    (cluster / "PG_VERSION").write_text("9\n")

    with pytest.raises(DataError, match=r"holds data of PostgreSQL 9, installed is \d+: .*--fresh"):
        await postgres.part(settings, data).launch()


async def test_an_interrupted_start_is_begun_anew(settings: Settings, data: DataDir) -> None:
    leftover = data.folder("postgres") / "new"
    leftover.mkdir()
    (leftover / "PG_VERSION").write_text("half a cluster")

    process = await up(postgres.part(settings, data))
    await process.stop()

    assert not leftover.exists()


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    """A folder that only its owner can enter."""
    tmp_path.chmod(0o700)
    return tmp_path


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to step down")
async def test_root_is_told_when_the_account_cannot_reach_the_data(closed: Path) -> None:
    settings = on_free_ports(data_dir=closed / "data")
    data = DataDir.open(settings)

    with pytest.raises(
        DataError, match=r"^PostgreSQL does not run as root, .* cannot enter /.*DAPR_HERO_DATA_DIR"
    ):
        await postgres.part(settings, data).launch()

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
