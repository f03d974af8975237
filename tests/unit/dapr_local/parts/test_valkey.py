"""Valkey as it is: a real server, and its password."""

import asyncio

from dapr_local.data import DataDir
from dapr_local.parts import valkey
from tests.unit.dapr_local.parts.servers import addresses, shown, up

PASSWORD = "secret-of-valkey"


async def command(port: int, words: str) -> bytes:
    """Return the answer of Valkey, without the +OK to the password."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"AUTH {PASSWORD}\r\n{words}\r\nQUIT\r\n".encode())
    answer = await reader.read()
    writer.close()
    return answer.removeprefix(b"+OK\r\n")


async def test_it_keeps_its_password_and_its_data(port: int, data: DataDir) -> None:
    part = valkey.part(port, PASSWORD, data)
    process = await up(part)
    try:
        assert PASSWORD not in shown(process)
        assert addresses(process) == {"127.0.0.1"}
        assert await command(port, "SET key kept") == b"+OK\r\n+OK\r\n"
        process.kill()
        await process.wait()
        process = await up(part)
        assert b"kept" in await command(port, "GET key")
    finally:
        await process.stop()


async def test_it_is_not_ready_for_another_password(port: int, data: DataDir) -> None:
    process = await up(valkey.part(port, PASSWORD, data))
    try:
        assert not await valkey.part(port, "a guess", data).ready()
    finally:
        await process.stop()
