"""The guards admit callers with the token, whatever the server."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import httpx2 as httpx
import pytest
from starlette.responses import PlainTextResponse

from dapr_hero.service.token_guards import GrpcGuard, HttpGuard, ThreadedGrpcGuard

TOKEN = "secret"
DELIVERY = "/dapr.proto.runtime.v1.AppCallback/OnTopicEvent"
FREE = "/dapr.proto.runtime.v1.AppCallback/ListTopicSubscriptions"


class Call(NamedTuple):
    """The details of a gRPC call, as an interceptor gets them."""

    method: str
    invocation_metadata: Sequence[tuple[str, str | bytes]]


CALLS = [
    (TOKEN, Call(DELIVERY, [("dapr-api-token", TOKEN)]), True),
    (TOKEN, Call(DELIVERY, [("dapr-api-token", TOKEN.encode())]), True),
    (TOKEN, Call(DELIVERY, [("dapr-api-token", "wrong")]), False),
    (TOKEN, Call(DELIVERY, [("dapr-api-token", "wröng")]), False),
    (TOKEN, Call(DELIVERY, []), False),
    (TOKEN, Call(FREE, []), True),
    ("", Call(DELIVERY, []), True),
]


@pytest.mark.parametrize(
    ("token", "headers", "status"),
    [
        (TOKEN, {"dapr-api-token": TOKEN}, 200),
        (TOKEN, {"dapr-api-token": "wrong"}, 401),
        (TOKEN, {}, 401),
        ("", {}, 200),
    ],
)
async def test_a_request_needs_the_token(token: str, headers: dict[str, str], status: int) -> None:
    guard = HttpGuard(PlainTextResponse("admitted"), token)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(guard), base_url="http://app") as http:
        response = await http.post("/widgets.v1", headers=headers)
    assert response.status_code == status
    assert (response.text == "admitted") is (status == 200)


@pytest.mark.parametrize(("token", "call", "admitted"), CALLS)
async def test_a_call_needs_the_token(token: str, call: Call, admitted: bool) -> None:
    async def continuation(_: Any) -> str:
        return "the handler"

    handler = await GrpcGuard(token).intercept_service(continuation, call)
    assert (handler == "the handler") is admitted


@pytest.mark.parametrize(("token", "call", "admitted"), CALLS)
def test_a_call_on_a_thread_needs_the_token(token: str, call: Call, admitted: bool) -> None:
    handler = ThreadedGrpcGuard(token).intercept_service(lambda _: "the handler", call)
    assert (handler == "the handler") is admitted
