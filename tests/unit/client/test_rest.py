"""Reading one item, from inventory and from servers that are not the platform."""

import asyncio
import socket
from urllib.parse import unquote

import pytest

from dapr_hero.client import answers, rest
from dapr_hero.client.answers import ClientError
from dapr_hero.contract.kinds import KINDS
from dapr_hero.local.chosen_ports import on_free_ports
from dapr_hero.settings import Settings
from tests.unit.client.test_platform import WRONG, serving

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"


@pytest.fixture
def settings() -> Settings:
    return on_free_ports(request_timeout_seconds=1)


async def get(settings: Settings, id: str = "w") -> str:
    return await asyncio.to_thread(rest.item, settings, KINDS[0], id)


@pytest.mark.parametrize("id", ["a b", "a/b", "a?b#c", "%2F", "é😀", "a..b", "...", "+", "a%"])
async def test_an_id_reaches_the_server_as_it_is(id: str, settings: Settings) -> None:
    async with serving(settings.inventory_port, OK) as heads:
        assert await get(settings, id) == "{}"
    [head] = heads
    path = head.split()[1].decode()
    assert unquote(path) == f"/v1/{KINDS[0].resource}/{id}"
    assert path.count("/") == 3


@pytest.mark.parametrize("name", WRONG)
async def test_an_answer_of_another_server_is_an_error(name: str, settings: Settings) -> None:
    answer, message = WRONG[name]
    async with serving(settings.inventory_port, answer):
        with pytest.raises(ClientError, match=message):
            await get(settings)


async def test_a_server_that_never_answers_is_given_up(settings: Settings) -> None:
    with (
        socket.create_server(("127.0.0.1", settings.inventory_port)),
        pytest.raises(ClientError, match=r"does not answer at http://.*/v1/widgets/w "),
    ):
        await get(settings)


async def test_an_answer_without_an_end_is_given_up(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "MAX_BYTES", 1000)
    async with serving(settings.inventory_port, b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 5000):
        with pytest.raises(ClientError, match="larger than 1,000 bytes"):
            await get(settings)
