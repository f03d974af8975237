"""Errors that Starlette or a middleware raises, as all our HTTP APIs answer them."""

from collections.abc import Iterator

import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.testclient import TestClient

from dapr_hero.service import limits
from dapr_hero.service.limits import Limited
from dapr_hero.service.problems import exception_handlers


async def read(request: Request) -> Response:
    return Response(await request.body())


async def refuse(request: Request) -> Response:
    raise HTTPException(int(request.path_params["status"]), "the reason", {"retry-after": "7"})


@pytest.fixture
def client() -> TestClient:
    routes = [Route("/read", read, methods=["POST"]), Route("/{status:int}", refuse)]
    app = Limited(Starlette(routes=routes, exception_handlers=exception_handlers))
    return TestClient(app, raise_server_exceptions=False)


@pytest.mark.parametrize(
    ("status", "type"),
    [
        (401, "UNAUTHORIZED"),
        (413, "REQUEST_ENTITY_TOO_LARGE"),
        (415, "UNSUPPORTED_MEDIA_TYPE"),
        (429, "TOO_MANY_REQUESTS"),
        (501, "NOT_IMPLEMENTED"),
    ],
)
def test_an_error_keeps_its_status_its_reason_and_its_headers(
    client: TestClient, status: int, type: str
) -> None:
    answer = client.get(f"/{status}")
    assert (answer.status_code, answer.headers["retry-after"]) == (status, "7")
    assert answer.json() == {"type": type, "code": status, "message": "the reason"}


@pytest.mark.parametrize(
    ("method", "path", "status", "type"),
    [
        ("GET", "/400", 400, "BAD_REQUEST"),
        ("GET", "/unknown", 404, "NOT_FOUND"),
        ("GET", "/read", 405, "METHOD_NOT_ALLOWED"),
    ],
)
def test_common_errors_have_our_own_words(
    client: TestClient, method: str, path: str, status: int, type: str
) -> None:
    answer = client.request(method, path)
    assert (answer.status_code, answer.json()["code"], answer.json()["type"]) == (status, status, type)
    assert "the reason" not in answer.text


def test_a_body_without_a_length_over_the_limit_is_too_large(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"x" * 20

    monkeypatch.setattr(limits, "MAX_MESSAGE_BYTES", 10)
    answers = [client.post("/read", content=content) for content in (chunks(), b"x" * 20)]
    assert [(each.status_code, each.json()["code"]) for each in answers] == [(413, 413)] * 2
    assert answers[0].json() == answers[1].json()
