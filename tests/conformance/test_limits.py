"""The size limit of the callback server in every mode: a delivery at the limit is served, a larger one is not."""

import asyncio

import grpc
import pytest

from dapr_hero.service.limits import MAX_HEAD_BYTES, MAX_MESSAGE_BYTES, MAX_METADATA_BYTES
from dapr_hero.settings import Settings
from tests.conformance.conftest import Handler
from tests.conformance.fake_sidecar import Deliverer
from tests.conformance.test_events_in import failure
from tests.events import event

# More than the size of an event on the wire without its description.
_SPARE = 2048
_ABOVE = MAX_MESSAGE_BYTES + 1
_ANNOUNCED = b"content-length: %d\r\n\r\n" % _ABOVE
_CHUNKED = b"transfer-encoding: chunked\r\n\r\n%x\r\n" % _ABOVE + b" " * _ABOVE


async def test_a_body_above_the_limit_is_refused(daprd: Deliverer, handler: Handler) -> None:
    if daprd.settings.dapr_mode.protocol == "grpc":
        whole = event(data={"id": "large", "description": "d" * MAX_MESSAGE_BYTES, "price": 1})
        assert await failure(daprd.one("/widgets.v1", whole)) is grpc.StatusCode.RESOURCE_EXHAUSTED
    else:
        for rest in (_ANNOUNCED, _CHUNKED):
            status, *headers = (await _head(daprd.settings, rest)).splitlines()
            assert b" 413 " in status
            # The rest of the body is not read, so it must not be taken for another request.
            assert b"connection: close" in headers
    assert handler.batches == []


async def _head(settings: Settings, rest: bytes) -> bytes:
    """The status and the headers of the answer to a POST, before it is whole."""
    async with asyncio.timeout(20):
        reader, writer = await asyncio.open_connection("127.0.0.1", settings.callback_port)
        writer.write(b"POST /widgets.v1 HTTP/1.1\r\nhost: app\r\n" + rest)
        head = await reader.readuntil(b"\r\n\r\n")
        writer.close()
        return head


async def test_a_body_below_the_limit_is_served(daprd: Deliverer, handler: Handler) -> None:
    whole = event(data={"id": "large", "description": "d" * (MAX_MESSAGE_BYTES - _SPARE), "price": 1})
    assert await daprd.one("/widgets.v1", whole) == "SUCCESS"
    assert len(handler.batches) == 1


@pytest.mark.parametrize(("beyond", "fits"), [(0, False), (-_SPARE, True)])
async def test_headers_have_a_limit(daprd: Deliverer, handler: Handler, beyond: int, fits: bool) -> None:
    limit = MAX_METADATA_BYTES if daprd.settings.dapr_mode.protocol == "grpc" else MAX_HEAD_BYTES
    # The token is a header like any other, and without one of its own the app does not look at it.
    talkative = Deliverer(daprd.settings.model_copy(update={"app_api_token": "x" * (limit + beyond)}))
    refused = await failure(talkative.one("/widgets.v1", event()))
    assert refused == 200 if fits else refused in (431, grpc.StatusCode.RESOURCE_EXHAUSTED)
    assert len(handler.batches) == fits
