from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import grpc.aio
import pytest

from dapr_hero.contract.errors import Refused, Unavailable
from dapr_hero.contract.items import Item, Version
from dapr_hero.products.service import ProductsService
from dapr_hero.products.v1 import products_pb2 as pb
from dapr_hero.products.v1.products_pb2_grpc import ProductsStub, add_ProductsServicer_to_server
from dapr_hero.service.servers import grpc_server
from dapr_local.ports import free_ports

if TYPE_CHECKING:
    from dapr_hero.products.v1.products_pb2_grpc import ProductsAsyncStub

OK, INVALID_ARGUMENT, NOT_FOUND = 0, 3, 5


class Store:
    def __init__(self) -> None:
        self.versions: dict[str, Version] = {}
        self.trips = 0
        self.down = False
        self.refuses = False

    async def get(self, ids: list[str]) -> dict[str, Item]:
        self._trip()
        return {id: self.versions[id].item for id in ids if id in self.versions}

    async def save(self, versions: list[Version]) -> None:
        self._trip()
        if self.refuses:
            raise Refused("statestore", "too large")
        self.versions |= {version.item.id: version for version in versions}

    def _trip(self) -> None:
        self.trips += 1
        if self.down:
            raise Unavailable("statestore")


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def token() -> str:
    """The token that the server requires of its callers."""
    return ""


@pytest.fixture
async def products(store: Store, token: str) -> AsyncIterator["ProductsAsyncStub"]:
    [port] = free_ports(1)
    server = grpc_server("127.0.0.1", port, token)
    add_ProductsServicer_to_server(ProductsService(store), server)
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield ProductsStub(channel)
    await server.stop(0)


def product(id: str, price: str = "0.1", version: str = "1") -> pb.ProductVersion:
    return pb.ProductVersion(product=pb.Product(id=id, description="d", price=price), version=version)


async def test_saved_products_are_read_back(products: "ProductsAsyncStub") -> None:
    saved = await products.SaveProduct(pb.SaveProductRequest(product=product("p")))
    assert saved.status.code == OK
    found = await products.GetProduct(pb.GetProductRequest(id="p"))
    assert (found.status.code, found.product.price) == (OK, "0.1")


async def test_a_batch_is_one_trip_and_answers_in_order(products: "ProductsAsyncStub", store: Store) -> None:
    batch = [product("a"), product("b", price="-1"), product("", "1"), product("c", version=""), product("d")]
    answers = (await products.SaveProducts(pb.SaveProductsRequest(products=batch))).responses
    assert [each.status.code for each in answers] == [OK, *[INVALID_ARGUMENT] * 3, OK]
    assert (set(store.versions), store.trips) == ({"a", "d"}, 1)
    found = (await products.GetProducts(pb.GetProductsRequest(ids=["d", "x", "", "a"]))).responses
    assert [each.status.code for each in found] == [OK, NOT_FOUND, INVALID_ARGUMENT, OK]
    assert [each.product.id for each in found] == ["d", "", "", "a"]
    assert store.trips == 2


async def test_a_store_that_is_down_fails_the_call(products: "ProductsAsyncStub", store: Store) -> None:
    store.down = True
    calls = (
        products.GetProduct(pb.GetProductRequest(id="p")),
        products.SaveProduct(pb.SaveProductRequest(product=product("p"))),
    )
    for call in calls:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


@pytest.mark.parametrize("token", ["secret"])
async def test_only_who_has_the_token_is_let_in(products: "ProductsAsyncStub", store: Store) -> None:
    for metadata in ((), (("dapr-api-token", "wrong"),)):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await products.GetProduct(pb.GetProductRequest(id="p"), metadata=metadata)
        assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert store.trips == 0
    await products.GetProduct(pb.GetProductRequest(id="p"), metadata=(("dapr-api-token", "secret"),))
    assert store.trips == 1


async def test_a_product_that_the_store_refuses_is_an_invalid_argument(
    store: Store, products: "ProductsAsyncStub"
) -> None:
    """Callers tell it from an outage: the item is at fault, and the same call never works."""
    store.refuses = True
    product = pb.ProductVersion(product=pb.Product(id="p", description="d", price="1"), version="1")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await products.SaveProducts(pb.SaveProductsRequest(products=[product]))
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
