from collections.abc import Iterator

import pytest

from dapr_hero.client.dead_letters import DeadLettersClient
from dapr_hero.client.platform import ClientError
from dapr_hero.contract.dead_letter import DeadLetterState
from dapr_hero.local.chosen_ports import on_free_ports
from dapr_hero.settings import Settings
from tests.unit.letters_server import TOKEN, LettersInMemory, serving


@pytest.fixture
def settings() -> Settings:
    return on_free_ports(dapr_api_token=TOKEN)


@pytest.fixture
def letters(settings: Settings) -> Iterator[LettersInMemory]:
    letters = LettersInMemory("a", "b", "c", "d e")
    with serving(letters, settings.dead_letters_port):
        yield letters


async def test_the_keys_of_all_pages_are_read(settings: Settings, letters: LettersInMemory) -> None:
    async with DeadLettersClient(settings) as client:
        assert await client.keys(DeadLetterState.KEPT) == letters.keys
        assert await client.keys(DeadLetterState.REPLAYED) == []


async def test_a_page_has_its_limit_and_the_total(settings: Settings, letters: LettersInMemory) -> None:
    async with DeadLettersClient(settings) as client:
        page = await client.page(DeadLetterState.KEPT, 1)
    assert ([letter.key for letter in page.letters], page.total) == (["a"], 4)


async def test_a_letter_is_read_replayed_and_discarded_by_its_key(
    settings: Settings, letters: LettersInMemory
) -> None:
    async with DeadLettersClient(settings) as client:
        assert (await client.get("d e")).original == '{"price": 0.10}'
        await client.replay("b")
        await client.discard("c")
    assert (letters.replayed, letters.keys) == (["b"], ["a", "b", "d e"])


@pytest.mark.parametrize("method", ["get", "replay", "discard"])
async def test_an_empty_and_an_unknown_key_are_errors(
    settings: Settings, letters: LettersInMemory, method: str
) -> None:
    async with DeadLettersClient(settings) as client:
        with pytest.raises(ClientError, match="the key of a dead letter is empty"):
            await getattr(client, method)("")
        with pytest.raises(ClientError, match="404: there is no such dead letter"):
            await getattr(client, method)("x")


async def test_without_the_token_the_error_names_the_settings(
    letters: LettersInMemory, settings: Settings
) -> None:
    async with DeadLettersClient(settings.model_copy(update={"dapr_api_token": "wrong"})) as client:
        with pytest.raises(ClientError, match="DAPR_API_TOKEN"):
            await client.get("a")
