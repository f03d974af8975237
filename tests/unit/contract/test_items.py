from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dapr_hero.contract import items
from dapr_hero.contract.items import Item, Malformed, Version


def payload(price: str = "1", id: str = '"w"', description: str = '""') -> bytes:
    return f'{{"id":{id},"description":{description},"price":{price}}}'.encode()


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("0.1", "0.1"),
        ("0.10", "0.1"),
        ("0", "0"),
        ("-0", "0"),
        ("0.0", "0"),
        ("1e3", "1000"),
        ("1E+2", "100"),
        ("123456789012345", "123456789012345"),
        ("0.123456789012345", "0.123456789012345"),
        ("1000000000000000", "1000000000000000"),
        ("19.990000000000000000000000000", "19.99"),
    ],
)
def test_a_price_is_kept_exactly_in_plain_notation(text: str, plain: str) -> None:
    item = items.parse(payload(text))
    assert str(item.price) == plain
    assert items.encode(item) == f'{{"id":"w","description":"","price":{plain}}}'.encode()


@pytest.mark.parametrize(
    "text", ["1_000", " 1", "1 ", "+5", "٣", "\uff11", ".5", "5.", "01", "0x1", "1e", "", "inf"]
)
def test_only_the_notation_of_json_is_a_price(text: str) -> None:
    """`--price` and the gRPC API of products take texts."""
    with pytest.raises(Malformed, match="price is not a number"):
        items.checked("w", "", text)


@pytest.mark.parametrize("id", [".", ".."])
def test_an_id_that_clients_remove_from_urls_is_malformed(id: str) -> None:
    with pytest.raises(Malformed, match="id must not be"):
        items.checked(id, "", "1")


@pytest.mark.parametrize(
    "text",
    [
        *("-1", "-0.01", '"1"', "null", "true", "[]", "{}", "NaN", "Infinity", "-Infinity"),
        *("1e16", "1e400", "1e-16", "1e999999999", "1e-999999999", "1e99999999999999999999"),
        *("12345678901234567", "0.1234567890123456", "0.30000000000000004"),
    ],
)
def test_a_price_that_is_none_or_cannot_be_exact_is_malformed(text: str) -> None:
    with pytest.raises(Malformed):
        items.parse(payload(text))


@given(st.decimals(0, 10**9, places=5, allow_nan=False))
def test_a_price_survives_the_doubles_of_dapr(price: Decimal) -> None:
    exact = items.parse(payload(str(price))).price
    assert exact == price
    assert items.parse(payload(repr(float(exact)))).price == price


@pytest.mark.parametrize(
    "data",
    [b"[" * 20_000, b"", b"5", b"null", b"[]", b"{", b"{}", b"\xff", b'{"id":"w"}', b'{"id":"w","price":1}']
    + [payload(id=text) for text in ('""', "5", "null", '"' + "x" * 257 + '"', r'"\u0000"', r'"\ud800"')]
    + [payload(description=text) for text in ("5", "null", '"' + "x" * 4001 + '"', r'"\u0000"')],
)
def test_a_payload_that_breaks_the_contract_is_malformed(data: bytes) -> None:
    with pytest.raises(Malformed):
        items.parse(data)


def test_limits_count_characters_and_unknown_fields_are_ignored() -> None:
    data = f'{{"id":"{"é" * 256}","description":"{"é" * 4000}","price":1,"more":[1]}}'.encode()
    item = items.parse(data)
    assert (len(item.id), len(item.description)) == (256, 4000)


def test_newest_keeps_one_version_an_item_in_order_of_ids() -> None:
    def version(id: str, stamp: str) -> Version:
        return Version(Item(id, stamp, Decimal(1)), stamp)

    kept = items.newest([version("b", "2"), version("a", "1"), version("b", "3"), version("b", "1")])
    assert [(each.item.id, each.stamp) for each in kept] == [("a", "1"), ("b", "3")]
