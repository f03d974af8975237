"""A page of another site cannot call a server on loopback through a browser."""

import httpx2 as httpx
import pytest
from starlette.responses import PlainTextResponse

from dapr_hero.service.local_callers import LocalCallers


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "localhost:3003"}, 200),
        ({"host": "127.0.0.1"}, 200),
        ({"host": "[::1]:3003"}, 200),
        ({"host": "attacker.example"}, 403),
        ({"host": "localhost.attacker.example"}, 403),
        ({"host": "[broken"}, 403),
        ({"host": ""}, 403),
        ({"host": "localhost", "origin": "http://localhost:8000"}, 200),
        ({"host": "localhost", "origin": "https://attacker.example"}, 403),
        ({"host": "localhost", "origin": "null"}, 403),
    ],
)
async def test_host_and_origin_must_be_local(headers: dict[str, str], status: int) -> None:
    app = LocalCallers(PlainTextResponse("admitted"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as http:
        response = await http.get("/", headers=headers)
    assert response.status_code == status
