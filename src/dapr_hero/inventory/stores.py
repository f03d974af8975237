"""The store of each kind of items: a table of PostgreSQL, Dapr's state store, or the products service."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any, TypeVar

import grpc.aio

from dapr_hero.contract.errors import Refused, Unavailable
from dapr_hero.contract.items import Item, Store, Version
from dapr_hero.contract.kinds import KINDS, Backend, Kind
from dapr_hero.inventory.database import Database
from dapr_hero.products.v1 import products_pb2 as pb
from dapr_hero.products.v1.products_pb2_grpc import ProductsStub
from dapr_hero.service import trace_context, tracing
from dapr_hero.service.limits import MAX_MESSAGE_BYTES
from dapr_hero.settings import Settings
from dapr_hero.sidecar import grpc_errors, tokens
from dapr_hero.sidecar.interface import Sidecar
from dapr_hero.sidecar.versioned_state import VersionedState

T = TypeVar("T")

_OK = grpc.StatusCode.OK.value[0]


@asynccontextmanager
async def opened(sidecar: Sidecar, database: Database, settings: Settings) -> AsyncIterator[dict[str, Store]]:
    """Provide the store of each resource until the block ends."""
    products = Products(settings)

    def store_of(kind: Kind) -> Store:
        match kind.backend:
            case Backend.POSTGRESQL:
                return Table(database, kind.resource)
            case Backend.STATE_STORE:
                return VersionedState(sidecar, settings.state_store_name, kind.name)
            case Backend.PRODUCTS:
                return products

    try:
        yield {kind.resource: store_of(kind) for kind in KINDS}
    finally:
        await products.close()


class Table:
    """The rows of a table in PostgreSQL, which a migration has created."""

    def __init__(self, database: Database, name: str) -> None:
        self._database = database
        self._name = name
        # The name comes from the table of kinds, never from a request.
        self._select = f"SELECT id, description, price FROM {name} WHERE id = ANY($1)"  # noqa: S608
        self._upsert = f"""
            INSERT INTO {name} AS stored (id, description, price, stamp)
            SELECT * FROM unnest($1::text[], $2::text[], $3::numeric[], $4::text[])
            ON CONFLICT (id) DO UPDATE
            SET description = excluded.description, price = excluded.price, stamp = excluded.stamp
            WHERE stored.stamp < excluded.stamp
            """  # noqa: S608

    async def get(self, ids: list[str]) -> dict[str, Item]:
        with tracing.query("SELECT", self._name):
            rows = await self._database.fetch(self._select, ids)
        return {row["id"]: Item(row["id"], row["description"], _plain(row["price"])) for row in rows}

    async def save(self, versions: list[Version]) -> None:
        # In the order of the ids, which all writers keep: concurrent batches cannot deadlock.
        rows = [(v.item.id, v.item.description, v.item.price, v.stamp) for v in versions]
        with tracing.query("UPSERT", self._name):
            await self._database.fetch(self._upsert, *map(list, zip(*rows, strict=True)))


def _plain(price: Decimal) -> Decimal:
    """Return the price without an exponent: asyncpg reads 10000 as 1E+4."""
    return Decimal(format(price, "f"))


class Products:
    """The products service, invoked over gRPC through our own sidecar.

    https://docs.dapr.io/developing-applications/building-blocks/service-invocation/howto-invoke-services-grpc/
    """

    def __init__(self, settings: Settings) -> None:
        options = [("grpc.max_receive_message_length", MAX_MESSAGE_BYTES)]
        self._channel = grpc.aio.insecure_channel(
            f"{settings.dapr_host}:{settings.dapr_grpc_port}", options=options
        )
        self._products = ProductsStub(self._channel)
        self._headers = {"dapr-app-id": settings.products_address, **tokens.to_daprd(settings)}
        self._timeout_seconds = settings.request_timeout_seconds

    async def get(self, ids: list[str]) -> dict[str, Item]:
        request = pb.GetProductsRequest(ids=ids)
        answers = (await self._call(self._products.GetProducts(request, **self._options()))).responses
        found = [answer.product for answer in answers if answer.status.code == _OK]
        return {each.id: Item(each.id, each.description, Decimal(each.price)) for each in found}

    async def save(self, versions: list[Version]) -> None:
        request = pb.SaveProductsRequest(products=[_message(version) for version in versions])
        answers = (await self._call(self._products.SaveProducts(request, **self._options()))).responses
        refused = [answer.status.message for answer in answers if answer.status.code != _OK]
        if refused:
            raise Refused("products", refused[0])
        if len(answers) != len(versions):
            raise Unavailable("products", f"{len(answers)} responses for {len(versions)} items")

    async def close(self) -> None:
        await self._channel.close()

    async def _call(self, call: grpc.aio.UnaryUnaryCall[Any, T]) -> T:
        try:
            return await call
        except grpc.aio.AioRpcError as error:
            raise grpc_errors.failure("products", error.code(), error.details()) from None

    def _options(self) -> dict[str, Any]:
        headers = {**self._headers, **trace_context.outgoing()}
        return {"metadata": tuple(headers.items()), "timeout": self._timeout_seconds}


def _message(version: Version) -> pb.ProductVersion:
    item = version.item
    product = pb.Product(id=item.id, description=item.description, price=str(item.price))
    return pb.ProductVersion(product=product, version=version.stamp)
