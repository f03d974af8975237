"""The public REST API, by its own description and beyond it."""

import json
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dapr_hero.contract.errors import Unavailable
from dapr_hero.contract.items import Item
from dapr_hero.inventory import api, openapi
from tests.fuzz import texts
from tests.fuzz.host import Client, Host, Response
from tests.fuzz.profiles import PROFILE
from tests.fuzz.tally import Count, Tally
from tests.fuzz.test_http_events import headers

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]
PATHS = [*openapi.DOCUMENT["paths"], "/metrics", "/openapi.json", "/docs"]
WORDS = {
    400: "BAD_REQUEST",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    414: "REQUEST_URI_TOO_LONG",
    503: "UNAVAILABLE",
}
STORED = ("w", "a b", "é/ü", "😀", "..", "%", "w\n", "\n", "a\nb", "?", "x" * 256)
# With this in its id, an item's store does not answer.
DOWN = "down"


async def read(id: str) -> Item | None:
    if DOWN in id:
        raise Unavailable("store")
    if b"\0" in id.encode():
        raise ValueError("invalid byte sequence for encoding")
    return Item(id, "about it", Decimal("0.1")) if id in STORED else None


async def _fine() -> None: ...


class Counted:
    """The app, and how often each of its operations was asked."""

    def __init__(self) -> None:
        self._app = api.build(dict.fromkeys(openapi.RESOURCES, read), {"daprd": _fine}, {})
        self.counts = {path: Count() for path in openapi.DOCUMENT["paths"]}

    async def __call__(self, scope: Any, receive: Any, send: Callable[[Any], Awaitable[None]]) -> None:
        async def counting(message: Any) -> None:
            if message["type"] == "http.response.start":
                self._count(scope["path"], message["status"])
            await send(message)

        await self._app(scope, receive, counting)

    def _count(self, path: str, status: int) -> None:
        for known, count in self.counts.items():
            if path == known or ("{" in known and path.startswith(known.partition("{")[0])):
                count.add("accepted" if status == 200 else "rejected")


def test_by_its_description(host: Host, tally: Tally, seed: int, tmp_path: Path) -> None:
    """Run Schemathesis in a separate process: it changes Hypothesis wherever it is imported."""
    app, begun = Counted(), time.monotonic()
    with host.serving(app) as client:
        run = subprocess.run(
            [
                *(sys.executable, "-m", "schemathesis.cli", "run"),
                f"http://127.0.0.1:{client.port}/openapi.json",
                *("--checks", "all", "--phases", "examples,coverage,fuzzing", "--continue-on-failure"),
                *("--max-examples", str(PROFILE.max_examples), "--seed", str(seed)),
                *("--no-color", "--warnings", "off"),
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
    for path, count in app.counts.items():
        tally.add(f"rest: by its description GET {path}", count, (time.monotonic() - begun) / len(app.counts))
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.fixture(scope="module")
def client(host: Host) -> Iterator[Client]:
    with host.serving(Counted()) as client:
        yield client


_escaped = st.binary(max_size=12).map(lambda raw: "".join(f"%{byte:02x}" for byte in raw))
_plain = st.text("abcxyz019-._~!$&'()*+,;=:@/%?#[]|^`{}\\\"<>", max_size=12)
_ids = st.one_of(
    st.sampled_from(STORED).map(lambda id: quote(id, safe="")),
    st.text(texts.characters, max_size=12).map(lambda id: quote(id, safe="")),
    st.sampled_from(
        ["", "/", "//", "%00", "a%00b", "%", "%ff", "%ed%a0%80", DOWN, "x" * 257, "%c3%a9" * 256]
    ),
    _escaped,
    _plain,
)
_queries = st.one_of(
    st.just(""), _plain.map(lambda text: f"?{text}"), _escaped.map(lambda text: f"?a={text}")
)
_methods = st.sampled_from(["GET"] * 5 + METHODS)


@pytest.mark.parametrize("path", PATHS)
@given(_methods, _ids, _queries, headers, st.binary(max_size=20))
@PROFILE
def test_any_request(
    client: Client, count: Count, path: str, method: str, id: str, query: str, more: Any, body: bytes
) -> None:
    response = client.send(method, path.replace("{id}", id) + query, body, more)
    count.add("accepted" if response.status == 200 else "rejected")
    if response.status == 200:
        assert method in ("GET", "HEAD")
    else:
        check_problem(method, response)
    if response.status == 503:
        assert DOWN in id
    if method == "GET" and "{id}" not in path:
        assert response.status == 200


@pytest.mark.parametrize("resource", openapi.RESOURCES)
@given(st.sampled_from(STORED) | st.text(texts.characters, min_size=1, max_size=300), _queries)
@PROFILE
def test_any_id(client: Client, count: Count, resource: str, id: str, query: str) -> None:
    response = client.send("GET", f"/v1/{resource}/{quote(id, safe='')}{query}")
    count.add("accepted" if response.status == 200 else "rejected")
    refused = len(id) > 256 or "\0" in id or id in (".", "..")
    expected = 400 if refused else 200 if id in STORED else 404
    assert response.status == (503 if expected != 400 and DOWN in id else expected)
    if expected == 200:
        assert json.loads(response.body)["id"] == id


def check_problem(method: str, response: Response) -> None:
    """An error as the contract has it."""
    assert response.status in WORDS
    assert response.content_type == "application/json"
    if response.status == 405:
        assert response.allow
        assert method not in response.allow.split(", ")
    if method != "HEAD":
        body = json.loads(response.body)
        assert (body["code"], body["type"]) == (response.status, WORDS[response.status])
        assert body["message"]
