from decimal import Decimal
from typing import cast

import pytest

from dapr_hero.contract.items import encode
from dapr_hero.inventory.database import Database
from dapr_hero.inventory.stores import Table


class Rows:
    """A database that has one widget."""

    def __init__(self, price: Decimal) -> None:
        self._price = price

    async def fetch(self, query: str, *arguments: object) -> list[dict[str, object]]:
        return [{"id": "w", "description": "d", "price": self._price}]


@pytest.mark.parametrize(
    ("read", "answered"), [("1E+4", "10000"), ("1.00E+6", "1000000"), ("0.1", "0.1"), ("0", "0")]
)
async def test_a_price_is_answered_as_it_was_sent(read: str, answered: str) -> None:
    # asyncpg reads whole numbers with an exponent.
    widgets = await Table(cast(Database, Rows(Decimal(read))), "widgets").get(["w"])
    assert f'"price":{answered}}}' in encode(widgets["w"]).decode()
