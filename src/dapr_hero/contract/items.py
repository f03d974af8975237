"""Items: the stored values, their limits, and the versions that decide which of two events is newer."""

import re
from collections.abc import Sequence
from decimal import Context, Decimal, InvalidOperation
from typing import NamedTuple, Protocol

import msgspec

MAX_ID = 256
MAX_DESCRIPTION = 4000
# Dapr carries JSON numbers as binary doubles. A decimal of up to 15 significant digits survives the way
# through a double and back unchanged; a longer one may have been altered before it got here.
MAX_PRICE_DIGITS = 15
_LARGEST = Decimal(10**MAX_PRICE_DIGITS)
_SMALLEST = 1 / _LARGEST
_JSON_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")


# What reading JSON raises: it is none, it is not UTF-8, or it is nested deeper than Python can follow.
NOT_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Malformed(ValueError):
    """The input can never be stored; the message says why."""


class Item(msgspec.Struct, frozen=True):
    """An item of any kind: the kinds differ in where they are stored, not in what they are."""

    id: str
    description: str
    price: Decimal


class Version(NamedTuple):
    """A version of an item. Of two versions of one item the one with the larger `stamp` wins."""

    item: Item
    stamp: str


# Reading an item that need not exist shows whether a store answers.
PROBE = ["readiness-probe"]


class Store(Protocol):
    """Lists in one round trip each. Both raise Unavailable."""

    async def get(self, ids: list[str]) -> dict[str, Item]:
        """Return the stored items by id."""

    async def save(self, versions: list[Version]) -> None:
        """Save all versions durably; a stored newer version stays. The ids must be unique."""


class _Payload(msgspec.Struct):
    id: str
    description: str
    price: msgspec.Raw


_decoder = msgspec.json.Decoder(_Payload)
# Numbers leave as they came: 0.1 is 0.1, never a binary float.
encode = msgspec.json.Encoder(decimal_format="number").encode


def parse(payload: bytes) -> Item:
    """Return the item in a JSON payload. Raises: Malformed."""
    try:
        fields = _decoder.decode(payload)
    except NOT_JSON as error:
        raise Malformed(f"data: {error}") from None
    return checked(fields.id, fields.description, _price(bytes(fields.price)))


def checked(id: str, description: str, price: str) -> Item:
    """Return the item with these fields, its price in plain notation. Raises: Malformed."""
    if not 1 <= len(id) <= MAX_ID:
        raise Malformed(f"id must have 1 to {MAX_ID} characters, but has {len(id)}")
    if id in (".", ".."):
        raise Malformed("id must not be . or .., which clients remove from URLs")
    if len(description) > MAX_DESCRIPTION:
        raise Malformed(
            f"description must have at most {MAX_DESCRIPTION} characters, but has {len(description)}"
        )
    if "\0" in id or "\0" in description:
        raise Malformed("id and description cannot hold the character NUL")
    return Item(id, description, _exact(price))


def newest(versions: Sequence[Version]) -> list[Version]:
    """Return the newest version of each item, in order of the items' ids."""
    by_id: dict[str, Version] = {}
    for version in versions:
        known = by_id.get(version.item.id)
        if known is None or known.stamp < version.stamp:
            by_id[version.item.id] = version
    return [by_id[id] for id in sorted(by_id)]


def _price(raw: bytes) -> str:
    if raw[:1] not in b"-0123456789":
        raise Malformed("price is not a number")
    return raw.decode()


def _exact(text: str) -> Decimal:
    # Decimal also takes "1_000", " 1 ", "+5", "NaN" and the digits of other scripts.
    if not _JSON_NUMBER.fullmatch(text):
        raise Malformed("price is not a number")
    try:
        price = Decimal(text)
    except InvalidOperation:  # an exponent of more digits than Python reads
        raise Malformed("price is not a number") from None
    if price < 0:
        raise Malformed("price must be a finite number >= 0")
    if price and not _SMALLEST <= price <= _LARGEST:
        raise Malformed(f"price must be 0 or between {_SMALLEST} and {_LARGEST}")
    exact = price.normalize(Context(prec=max(1, len(text))))
    if len(exact.as_tuple().digits) > MAX_PRICE_DIGITS:
        raise Malformed(f"price has more than {MAX_PRICE_DIGITS} digits, which Dapr cannot carry exactly")
    return Decimal(format(abs(exact), "f"))
