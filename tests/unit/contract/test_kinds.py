"""The table of kinds: unambiguous rows, and a default for types without a row."""

import re

import pytest

from dapr_hero.contract import items
from dapr_hero.contract.items import encode, parse
from dapr_hero.contract.kinds import KINDS, Backend, Kind, kind_of


@pytest.mark.parametrize(
    ("type", "path"),
    [
        ("widget.v1", "/widgets.v1"),
        ("gadget.v1", "/gadgets.v1"),
        ("thingamajig.v1", "/products.v1"),
        ("widget.v2", "/products.v1"),
        ("", "/products.v1"),
        (None, "/products.v1"),
        (5, "/products.v1"),
    ],
)
def test_types_have_their_paths(type: object, path: str) -> None:
    assert kind_of(type).path == path


@pytest.mark.parametrize("column", ["name", "type", "path", "resource", "parked_path"])
def test_no_two_kinds_share_a_value(column: str) -> None:
    assert len({getattr(kind, column) for kind in KINDS}) == len(KINDS)


def test_products_keeps_one_kind() -> None:
    """The products service knows ids only, so items of two kinds would overwrite each other."""
    assert sum(kind.backend is Backend.PRODUCTS for kind in KINDS) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_resource_is_a_name_in_sql_and_in_urls(kind: Kind) -> None:
    assert re.fullmatch("[a-z]+", kind.resource)


@pytest.mark.parametrize("kind", KINDS)
def test_the_sample_is_a_valid_item_of_its_kind(kind: Kind) -> None:
    assert kind_of(kind.sample["type"]) is kind
    assert parse(encode(kind.sample["data"])) == items.checked(kind.name, f"A sample {kind.name}", "19.99")
