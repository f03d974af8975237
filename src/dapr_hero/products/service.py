"""The gRPC API of products; see proto/products/v1/products.proto for why "not found" is no error."""

from typing import Any, NoReturn

import grpc.aio
from google.rpc.status_pb2 import Status

from dapr_hero.contract import items
from dapr_hero.contract.errors import Refused, Unavailable
from dapr_hero.contract.items import Item, Malformed, Store, Version
from dapr_hero.products.v1 import products_pb2 as pb
from dapr_hero.products.v1.products_pb2_grpc import ProductsServicer
from dapr_hero.service import tracing

Context = grpc.aio.ServicerContext[Any, Any]

_OK = Status()
_SERVICE = pb.DESCRIPTOR.services_by_name["Products"].full_name


class ProductsService(ProductsServicer):
    """Serves products from a store. Concurrent calls are safe."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def GetProduct(self, request: pb.GetProductRequest, context: Context) -> pb.GetProductResponse:
        return (await self._get("GetProduct", [request.id], context))[0]

    async def GetProducts(self, request: pb.GetProductsRequest, context: Context) -> pb.GetProductsResponse:
        return pb.GetProductsResponse(responses=await self._get("GetProducts", list(request.ids), context))

    async def SaveProduct(self, request: pb.SaveProductRequest, context: Context) -> pb.SaveProductResponse:
        return (await self._save("SaveProduct", [request.product], context))[0]

    async def SaveProducts(
        self, request: pb.SaveProductsRequest, context: Context
    ) -> pb.SaveProductsResponse:
        return pb.SaveProductsResponse(
            responses=await self._save("SaveProducts", list(request.products), context)
        )

    async def _get(self, call: str, ids: list[str], context: Context) -> list[pb.GetProductResponse]:
        with tracing.call(f"{_SERVICE}/{call}", _traceparent(context)):
            try:
                found = await self._store.get([id for id in ids if id])
            except Unavailable as failure:
                await _abort(context, grpc.StatusCode.UNAVAILABLE, failure)
        return [_answer(id, found.get(id)) for id in ids]

    async def _save(
        self, call: str, products: list[pb.ProductVersion], context: Context
    ) -> list[pb.SaveProductResponse]:
        read = [_version(product) for product in products]
        with tracing.call(f"{_SERVICE}/{call}", _traceparent(context)):
            try:
                await self._store.save(items.newest([each for each in read if isinstance(each, Version)]))
            except Unavailable as failure:
                await _abort(context, grpc.StatusCode.UNAVAILABLE, failure)
            except Refused as failure:
                await _abort(context, grpc.StatusCode.INVALID_ARGUMENT, failure)
        return [pb.SaveProductResponse(status=_OK if isinstance(each, Version) else each) for each in read]


async def _abort(context: Context, code: grpc.StatusCode, failure: Exception) -> NoReturn:
    await context.abort(code, str(failure))
    raise AssertionError("abort raises")


def _traceparent(context: Context) -> object:
    return dict(context.invocation_metadata() or ()).get("traceparent")


def _version(message: pb.ProductVersion) -> Version | Status:
    product = message.product
    try:
        if not message.version:
            raise Malformed("version is missing")
        return Version(items.checked(product.id, product.description, product.price), message.version)
    except Malformed as fault:
        return _status(grpc.StatusCode.INVALID_ARGUMENT, str(fault))


def _answer(id: str, item: Item | None) -> pb.GetProductResponse:
    if item:
        product = pb.Product(id=item.id, description=item.description, price=str(item.price))
        return pb.GetProductResponse(status=_OK, product=product)
    if not id:
        return pb.GetProductResponse(status=_status(grpc.StatusCode.INVALID_ARGUMENT, "id is missing"))
    return pb.GetProductResponse(status=_status(grpc.StatusCode.NOT_FOUND, "there is no such product"))


def _status(code: grpc.StatusCode, message: str) -> Status:
    return Status(code=code.value[0], message=message)
