from typing import Any

import pytest

from dapr_hero.contract import events
from dapr_hero.inventory.database import Database
from dapr_hero.inventory.dead_letters import DeadLetters
from dapr_hero.inventory.side_topics import SideTopics
from dapr_hero.service.problems import BadRequest

DEEP = b'{"x":' + b"[" * 20_000 + b"]" * 20_000 + b"}"


class Table(Database):
    """One row: the arguments of the last statement."""

    def __init__(self) -> None:
        self.row: tuple[object, ...] = ()

    async def fetch(self, query: str, *arguments: object) -> list[Any]:
        if len(arguments) > 1:
            self.row = arguments
        return [{"original": self.row[-1]}]


class NoParking(SideTopics):
    def __init__(self) -> None: ...


async def test_json_that_is_nested_too_deep_is_kept_and_cannot_be_replayed() -> None:
    table = Table()
    letters = DeadLetters(table, NoParking())
    await letters.keep(events.decode(DEEP), "too deep")
    assert table.row[-1] == DEEP
    with pytest.raises(BadRequest):
        await letters.replay(str(table.row[0]))
