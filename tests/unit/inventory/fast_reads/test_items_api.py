"""Reads of one item directly on ASGI, and what is left to the rest of the API."""

from decimal import Decimal

import msgspec
import pytest
from prometheus_client import REGISTRY
from starlette.responses import Response
from starlette.types import Message, Scope
from structlog.testing import capture_logs

from dapr_hero.contract.errors import Unavailable
from dapr_hero.contract.items import MAX_ID, Item
from dapr_hero.inventory.fast_reads.items_api import ItemsApi


class Widgets:
    """One for each id but "missing"; notes what it is asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.error: Exception | None = None

    async def get(self, id: str) -> Item | None:
        self.asked.append(id)
        if self.error:
            raise self.error
        return None if id == "missing" else Item(id, "d", Decimal("0.10"))


class Answer:
    """The answers of the API."""

    def __init__(self, start: Message, *bodies: Message) -> None:
        self.status: int = start["status"]
        self.headers = {name.decode(): value.decode() for name, value in start["headers"]}
        self.body = b"".join(each["body"] for each in bodies)

    @property
    def error(self) -> dict[str, object]:
        return msgspec.json.decode(self.body, type=dict[str, object])


@pytest.fixture
def widgets() -> Widgets:
    return Widgets()


@pytest.fixture
def api(widgets: Widgets) -> ItemsApi:
    return ItemsApi({"widgets": widgets.get}, Response("the rest", 299))


async def ask(api: ItemsApi, path: str, method: str = "GET") -> Answer:
    """Ask for a path as the server hands it over, decoded."""
    return await called(api, {"type": "http", "method": method, "path": path})


async def called(api: ItemsApi, scope: Scope) -> Answer:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        raise NotImplementedError

    await api(scope, receive, send)
    return Answer(*sent)


def counted(status: int) -> float:
    labels = {"resource": "widgets", "status": str(status)}
    return REGISTRY.get_sample_value("dapr_hero_requests_total", labels) or 0


@pytest.mark.parametrize("id", ["w1", "a/b", "/", "...", "x" * MAX_ID, "é\n?"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_an_item_is_found_by_all_that_follows_its_resource(
    id: str, method: str, api: ItemsApi, widgets: Widgets
) -> None:
    answer = await ask(api, f"/v1/widgets/{id}", method)
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert answer.body.endswith(b'"price":0.10}')
    assert widgets.asked == [id]


@pytest.mark.parametrize("path", ["", "/", "/readyz", "/v1", "/v1/widgets", "/v1/others/w", "/v2/widgets/w"])
async def test_all_other_paths_are_those_of_the_rest(path: str, api: ItemsApi, widgets: Widgets) -> None:
    for scope in ({"type": "http", "method": "POST", "path": path}, {"type": "http", "method": "GET"}):
        answer = await called(api, scope)
        assert (answer.status, answer.body) == (299, b"the rest")
    assert widgets.asked == []


@pytest.mark.parametrize("id", ["", ".", "..", "a\0", "x" * (MAX_ID + 1)])
async def test_an_id_that_no_item_can_have_is_refused_without_a_read(
    id: str, api: ItemsApi, widgets: Widgets
) -> None:
    answer = await ask(api, f"/v1/widgets/{id}")
    assert (answer.status, answer.error["type"]) == (400, "BAD_REQUEST")
    assert "1 to 256 characters" in str(answer.error["message"])
    assert widgets.asked == []


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "get"])
async def test_a_wrong_method_hears_the_right_ones(method: str, api: ItemsApi, widgets: Widgets) -> None:
    answer = await ask(api, "/v1/widgets/w1", method)
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")
    assert widgets.asked == []


@pytest.mark.parametrize(
    ("id", "error", "status", "message"),
    [
        ("missing", None, 404, "there is no such item in widgets"),
        ("w1", Unavailable("postgresql", "10.0.0.1"), 503, "postgresql is unavailable; try again"),
        ("w1", ValueError("password=hunter2"), 500, "the request failed; it has been logged"),
    ],
)
async def test_a_read_that_fails_is_an_error_in_words_that_tell_no_secret(
    id: str, error: Exception | None, status: int, message: str, api: ItemsApi, widgets: Widgets
) -> None:
    widgets.error = error
    with capture_logs() as logged:
        answer = await ask(api, f"/v1/widgets/{id}")
    assert (answer.status, answer.error["code"], answer.error["message"]) == (status, status, message)
    assert [each["event"] for each in logged] == (["request failed"] if status == 500 else [])
    assert answer.headers.get("retry-after") == ("1" if status == 503 else None)


async def test_requests_are_counted_by_their_status(api: ItemsApi) -> None:
    before = {status: counted(status) for status in (200, 404, 405)}
    await ask(api, "/v1/widgets/w1")
    await ask(api, "/v1/widgets/w1")
    await ask(api, "/v1/widgets/missing")
    await ask(api, "/v1/widgets/w1", "POST")
    await ask(api, "/v1/others/w1")
    assert {status: counted(status) - before[status] for status in before} == {200: 2, 404: 1, 405: 1}
