"""The client of a running platform: its token, and servers that are not the platform."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from dapr_hero.client import answers, platform
from dapr_hero.client.answers import ClientError
from dapr_hero.client.dead_letters import DeadLettersClient
from dapr_hero.local.chosen_ports import on_free_ports
from dapr_hero.settings import Settings
from dapr_local.progress import ConsoleReport
from tests.conformance.fake_sidecar import FakeSidecar


@pytest.fixture
def settings() -> Settings:
    return on_free_ports(dapr_api_token="for-daprd", request_timeout_seconds=1)


@pytest.fixture
def fake(settings: Settings) -> Iterator[FakeSidecar]:
    fake = FakeSidecar()
    asyncio.run(fake.start(settings))
    yield fake
    asyncio.run(fake.stop())


def publish(settings: Settings) -> None:
    asyncio.run(platform.publish(settings, iter([b"{}"]), 1, ConsoleReport()))


def test_an_event_is_published_with_the_token(settings: Settings, fake: FakeSidecar) -> None:
    publish(settings)
    assert (len(fake.published), fake.tokens) == (1, {"for-daprd"})


def test_a_wrong_token_is_said_with_what_to_set(settings: Settings, fake: FakeSidecar) -> None:
    fake.wants = "another"
    with pytest.raises(ClientError, match="DAPR_API_TOKEN"):
        publish(settings)


PAGE = b"<html>\x1b[2JBad Gateway</html>"
HTML = b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: %d\r\n\r\n%s" % (len(PAGE), PAGE)
WRONG = {
    "html": (HTML, "502: not an answer of inventory"),
    "no http": (b"220 smtp.example ESMTP\r\n", "does not answer|no sidecar answers"),
    "nothing": (b"", "does not answer|no sidecar answers"),
    "broken off": (b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{", "does not answer|no sidecar answers"),
    "latin-1": (b"HTTP/1.1 500 X\r\ncontent-length: 1\r\n\r\n\xff", "does not answer|no sidecar answers"),
    "deep": (b"HTTP/1.1 500 X\r\ncontent-length: 99999\r\n\r\n" + b"[" * 99_999, "500: not an answer"),
    "other json": (b"HTTP/1.1 404 X\r\ncontent-length: 2\r\n\r\n{}", "404: not an answer"),
}


async def show(settings: Settings) -> None:
    async with DeadLettersClient(settings) as letters:
        await letters.get("0123abcd")


@asynccontextmanager
async def serving(port: int, answer: bytes) -> AsyncIterator[list[bytes]]:
    """A server that gives everyone this answer; the heads of the requests."""
    heads: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", port):
        yield heads


@pytest.mark.parametrize("name", WRONG)
async def test_an_answer_of_another_server_is_an_error(name: str, settings: Settings) -> None:
    answer, message = WRONG[name]
    async with serving(settings.dead_letters_port, answer):
        with pytest.raises(ClientError, match=message):
            await show(settings)


async def test_a_server_that_never_answers_is_given_up(settings: Settings) -> None:
    with (
        socket.create_server(("127.0.0.1", settings.dead_letters_port)),
        pytest.raises(ClientError, match="does not answer"),
    ):
        await show(settings)


async def test_an_answer_without_an_end_is_given_up(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "MAX_BYTES", 1000)
    async with serving(settings.dead_letters_port, b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 5000):
        with pytest.raises(ClientError, match="larger than 1,000 bytes"):
            await show(settings)
