"""The trimmer on a real Valkey: what a consumer group still needs stays, whatever else is removed."""

import asyncio
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from valkey.asyncio import Valkey

from dapr_hero.local.chosen_ports import on_free_ports
from dapr_hero.local.credentials import Passwords
from dapr_hero.local.data import open_data_dir
from dapr_hero.settings import Settings
from dapr_local import stream_trimmer
from dapr_local.parts import valkey

STREAM = "events"
COUNT = 1_000
NODE = 100  # entries that may stay: the server frees whole nodes


@pytest.fixture(scope="module")
def settings() -> Iterator[Settings]:
    with tempfile.TemporaryDirectory() as folder:
        yield on_free_ports(data_dir=Path(folder) / "data")


@pytest.fixture
async def server(settings: Settings) -> AsyncIterator[Valkey]:
    """A client of an empty server."""
    data = open_data_dir(settings, fresh=True)
    part = valkey.part(settings.valkey_port, Passwords.of(data).valkey, data)
    process = await part.launch()
    await process.start()
    await process.wait_ready(part.ready, part.ready_seconds)
    client = Valkey(host="127.0.0.1", port=settings.valkey_port, password=Passwords.of(data).valkey)
    try:
        yield client
    finally:
        await client.aclose()
        await process.stop(5)
        data.close()


async def fill(server: Valkey, count: int = COUNT) -> list[bytes]:
    """Add entries; return their ids."""
    async with server.pipeline(transaction=False) as pipeline:
        for number in range(count):
            pipeline.xadd(STREAM, {"data": str(number)})
        ids: list[bytes] = await pipeline.execute()
    return ids


async def read(server: Valkey, group: str, count: int = COUNT) -> list[bytes]:
    """Deliver entries to a group; return their ids."""
    [(_, entries)] = await server.xreadgroup(group, "consumer", {STREAM: ">"}, count=count)
    return [id for id, _ in entries]


async def present(server: Valkey) -> set[bytes]:
    return {id for id, _ in await server.xrange(STREAM)}


async def test_entries_that_all_groups_have_acknowledged_are_removed(server: Valkey) -> None:
    for group in ("one", "two"):
        await server.xgroup_create(STREAM, group, "0", mkstream=True)
    await fill(server)
    for group in ("one", "two"):
        await server.xack(STREAM, group, *await read(server, group))

    removed = await stream_trimmer.trim(server, STREAM)

    assert removed >= COUNT - NODE
    assert await server.xlen(STREAM) == COUNT - removed


async def test_more_entries_than_one_call_removes(server: Valkey, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_trimmer, "ENTRIES_PER_CALL", 2 * NODE)
    await server.xgroup_create(STREAM, "one", "0", mkstream=True)
    await fill(server)
    await server.xack(STREAM, "one", *await read(server, "one"))

    assert await stream_trimmer.trim(server, STREAM) >= COUNT - NODE


async def test_entries_that_one_group_has_not_read_stay(server: Valkey) -> None:
    for group in ("fast", "slow"):
        await server.xgroup_create(STREAM, group, "0", mkstream=True)
    ids = await fill(server)
    await server.xack(STREAM, "fast", *await read(server, "fast"))
    await server.xack(STREAM, "slow", *await read(server, "slow", COUNT // 2))

    await stream_trimmer.trim(server, STREAM)

    left = await present(server)
    assert left >= set(ids[COUNT // 2 :])
    assert len(left) <= COUNT // 2 + NODE


@pytest.mark.parametrize("kept", [0, 1, COUNT // 2, COUNT - 1])
async def test_a_pending_entry_and_all_behind_it_stay(server: Valkey, kept: int) -> None:
    """A consumer that crashed leaves an entry pending; another one claims it later."""
    await server.xgroup_create(STREAM, "one", "0", mkstream=True)
    ids = await read_all(server)
    await server.xack(STREAM, "one", *ids[:kept], *ids[kept + 1 :])

    await stream_trimmer.trim(server, STREAM)

    assert await present(server) >= set(ids[kept:])
    assert (await server.xpending(STREAM, "one"))["min"] == ids[kept]


async def read_all(server: Valkey) -> list[bytes]:
    await fill(server)
    return await read(server, "one")


async def test_ids_are_compared_as_numbers(server: Valkey) -> None:
    """As texts "9-0" would be newer than "10-0", and an entry that a group needs would be removed."""
    for number in range(1, 2 * NODE + 1):
        await server.xadd(STREAM, {"data": "x"}, id=f"{number}-{number}")
    await server.xgroup_create(STREAM, "first", "9-9")
    await server.xgroup_create(STREAM, "second", f"{2 * NODE}-{2 * NODE}")

    await stream_trimmer.trim(server, STREAM)

    assert await present(server) >= {f"{number}-{number}".encode() for number in range(10, 2 * NODE + 1)}


@pytest.mark.parametrize("group", ["0", None], ids=["a new group", "no group"])
async def test_a_stream_that_no_group_has_read_stays_whole(server: Valkey, group: str | None) -> None:
    await fill(server)
    if group:
        await server.xgroup_create(STREAM, "one", group)

    assert await stream_trimmer.trim(server, STREAM) == 0
    assert await server.xlen(STREAM) == COUNT


async def test_a_stream_that_does_not_exist_is_not_created(server: Valkey) -> None:
    assert await stream_trimmer.trim(server, STREAM) == 0
    assert not await server.exists(STREAM)


async def test_an_outage_is_logged_when_it_starts_and_when_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    rounds: Iterator[int | OSError] = iter(
        [3, 0, ConnectionError("refused"), OSError("reset"), ConnectionError("refused"), 5, 0]
    )
    done = asyncio.Event()

    async def trim(*_: object) -> int:
        result = next(rounds, None)
        if result is None:
            done.set()
            return 0
        if isinstance(result, OSError):
            raise result
        return result

    monkeypatch.setattr(stream_trimmer, "trim", trim)
    with capture_logs() as logged:
        running = asyncio.create_task(stream_trimmer.run(Valkey(), [STREAM], 0))
        async with asyncio.timeout(30):
            await done.wait()
        running.cancel()
    assert [each["log_level"] for each in logged if each["log_level"] != "debug"] == ["warning", "info"]


async def test_the_command_trims_until_it_is_stopped(
    server: Valkey, settings: Settings, tmp_path: Path
) -> None:
    await server.xgroup_create(STREAM, "one", "0", mkstream=True)
    await fill(server)
    await server.xack(STREAM, "one", *await read(server, "one"))
    password = tmp_path / "password"
    password.write_text(server.connection_pool.connection_kwargs["password"] + "\n")
    command = [sys.executable, "-P", "-m", "dapr_local.stream_trimmer", "--interval", "0.05"]
    address = ["--address", f"127.0.0.1:{settings.valkey_port}", "--password-file", str(password)]
    process = await asyncio.create_subprocess_exec(*command, *address, STREAM)
    try:
        async with asyncio.timeout(30):
            while await server.xlen(STREAM) > NODE:
                await asyncio.sleep(0.05)
            process.send_signal(signal.SIGTERM)
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: STREAM"),
        (["--address", "here", STREAM], "--address is not HOST:PORT: here"),
        (["--password-file", "/does/not/exist", STREAM], "cannot read /does/not/exist"),
    ],
)
def test_wrong_arguments_are_one_line(
    arguments: list[str], message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["stream_trimmer", *arguments])
    with pytest.raises(SystemExit) as exit:
        stream_trimmer.main()
    assert exit.value.code == 2
    assert message in capsys.readouterr().err
