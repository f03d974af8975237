"""Measures the cost of a GET of an item in the app alone, without Dapr and stores, for each choice (ADR 16).

python -m benchmarks.serving
"""

import asyncio
import gc
import json
import sys
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from benchmarks.compare.meter import Meter
from benchmarks.compare.reads import Target, drive
from dapr_hero.contract import items
from dapr_hero.contract.items import Item
from dapr_hero.inventory import api
from dapr_hero.service import problems, servers
from dapr_hero.service.limits import LimitedProtocol
from dapr_local.parts import readiness
from dapr_local.ports import free_ports

_SECONDS = 3
_ROUNDS = 2
_AS_IT_IS = "as it is"
_NOT_FROZEN = "the collector looks through what was imported"
_ASYNCIO = "asyncio's own event loop"
_ROUTER = "Starlette's router"


async def _read(id: str) -> Item:
    return Item(id, "what there is to say about it, in so many words", Decimal("123.25"))


async def _route(request: Request) -> Response:
    return problems.json_response(await _read(request.path_params["id"]))


def _h11() -> None:
    servers._Protocol = H11Protocol  # type: ignore[misc,assignment]


def _apart() -> None:
    servers._Protocol = LimitedProtocol  # type: ignore[misc,assignment]


def _standard_json() -> None:
    def plain(value: Any) -> object:
        return float(value) if isinstance(value, Decimal) else msgspec.structs.asdict(value)

    items.encode = lambda value: json.dumps(value, default=plain).encode()


_PATCHES: dict[str, Callable[[], None]] = {
    "h11 as the parser": _h11,
    "head and body leave apart": _apart,
    "the standard library's json": _standard_json,
}
_VARIANTS = [_AS_IT_IS, _ASYNCIO, *_PATCHES, _ROUTER, _NOT_FROZEN]


def _serve(variant: str, port: int) -> None:
    _PATCHES.get(variant, lambda: None)()
    if variant != _NOT_FROZEN:
        gc.freeze()
    app: ASGIApp = api.build({"items": _read}, {}, {})
    if variant == _ROUTER:
        routes = [Route("/healthz", lambda _: Response()), Route("/v1/items/{id:path}", _route)]
        app = Starlette(routes=routes, exception_handlers=problems.exception_handlers)

    async def forever() -> None:
        await servers.HttpServer.start(app, "127.0.0.1", port)
        await asyncio.Event().wait()

    (asyncio.run if variant == _ASYNCIO else uvloop.run)(forever())


async def _measure(variant: str) -> None:
    [port] = free_ports(1)
    server = await asyncio.create_subprocess_exec(sys.executable, __file__, variant, str(port))
    try:
        while not await readiness.http(f"http://127.0.0.1:{port}/healthz"):
            await asyncio.sleep(0.05)
        target = Target(port, "items", "item", 10_000)
        await drive(target, 1)
        meter = Meter({"server": server.pid})
        before = meter.cpu_seconds()["server"]
        answers = await drive(target, _SECONDS)
        spent = (meter.cpu_seconds()["server"] - before) / answers.count * 1e6
        sys.stdout.write(f"{variant:45} {spent:5.1f} µs per GET, p99 {answers.p99_ms:.1f} ms\n")
        sys.stdout.flush()
    finally:
        server.kill()
        await server.wait()


async def main() -> None:
    for variant in _VARIANTS * _ROUNDS:
        await _measure(variant)


if __name__ == "__main__":
    if len(sys.argv) == 1:
        asyncio.run(main())
    else:
        _serve(sys.argv[1], int(sys.argv[2]))
