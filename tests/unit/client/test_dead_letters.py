"""The client of the dead letters, against the real API and letters in memory."""

from collections.abc import Iterator

import pytest

from dapr_hero.client import dead_letters
from dapr_hero.client.answers import ClientError
from dapr_hero.client.dead_letters import DeadLettersClient
from dapr_hero.contract.dead_letter import DeadLetterState
from dapr_hero.local.chosen_ports import on_free_ports
from dapr_hero.settings import Settings
from tests.unit.client.served_letters import Letters, letter, served
from tests.unit.client.test_platform import serving

EVENT = '{"id": "e1"}'


@pytest.fixture
def settings() -> Settings:
    return on_free_ports(dapr_api_token="for-daprd", request_timeout_seconds=5)


@pytest.fixture
def letters(settings: Settings) -> Iterator[Letters]:
    kept = [letter(key) for key in "abcde"]
    replayed = [letter(key, DeadLetterState.REPLAYED, EVENT) for key in "xyz"]
    letters = Letters(*kept, *replayed)
    with served(letters, settings):
        yield letters


async def test_a_page_has_the_state_and_the_size_that_were_asked_for_and_goes_on_where_one_ended(
    settings: Settings, letters: Letters
) -> None:
    async with DeadLettersClient(settings) as client:
        first = await client.page(DeadLetterState.KEPT, 3)
        second = await client.page(DeadLetterState.KEPT, 3, first.next)
        replayed = await client.page(DeadLetterState.REPLAYED, 3)
    assert [each.key for each in first.letters] == ["e", "d", "c"]
    assert [each.key for each in second.letters] == ["b", "a"]
    assert (first.total, second.next) == (5, None)
    assert [each.key for each in replayed.letters] == ["z", "y", "x"]


async def test_the_keys_are_those_of_all_pages(
    settings: Settings, letters: Letters, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dead_letters, "_PAGE", 2)
    async with DeadLettersClient(settings) as client:
        assert await client.keys(DeadLetterState.KEPT) == ["e", "d", "c", "b", "a"]
        assert await client.keys(DeadLetterState.REPLAYED) == ["z", "y", "x"]


async def test_one_letter_comes_with_its_event_and_can_be_replayed_or_discarded(
    settings: Settings, letters: Letters
) -> None:
    async with DeadLettersClient(settings) as client:
        assert (await client.get("x")).original == EVENT
        await client.replay("a")
        await client.discard("b")
    assert letters.by_key["a"].state is DeadLetterState.REPLAYED
    assert letters.by_key.keys() == {*"acdexyz"}


async def test_a_refusal_and_a_wrong_token_are_errors_in_words(settings: Settings, letters: Letters) -> None:
    async with DeadLettersClient(settings) as client:
        with pytest.raises(ClientError, match=r"^404: there is no such dead letter$"):
            await client.discard("q")
    async with DeadLettersClient(settings.model_copy(update={"dapr_api_token": "other"})) as client:
        with pytest.raises(ClientError, match="the API token is wrong"):
            await client.discard("a")
    assert "a" in letters.by_key


@pytest.mark.parametrize(
    ("key", "written"), [("a/b?c#d", "a%2Fb%3Fc%23d"), ("%2F", "%252F"), ("é", "%C3%A9")]
)
async def test_a_key_stays_one_segment_of_the_path(key: str, written: str, settings: Settings) -> None:
    answer = b"HTTP/1.1 204 No Content\r\n\r\n"
    async with serving(settings.dead_letters_port, answer) as heads, DeadLettersClient(settings) as client:
        await client.replay(key)
    [head] = heads
    assert head.startswith(f"POST /v1/dead-letters/{written}/replay HTTP/1.1\r\n".encode())


async def test_an_empty_key_reaches_no_server(settings: Settings) -> None:
    """It would name the whole list."""
    async with serving(settings.dead_letters_port, b"") as heads, DeadLettersClient(settings) as client:
        for act in (client.get, client.replay, client.discard):
            with pytest.raises(ClientError, match="the key of a dead letter is empty"):
                await act("")
    assert heads == []
