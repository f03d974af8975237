from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from starlette.testclient import TestClient

from dapr_hero.contract.errors import Unavailable
from dapr_hero.contract.items import Item
from dapr_hero.inventory import api


class Widgets:
    def __init__(self) -> None:
        self.items: dict[str, Item] = {}
        self.error: Exception | None = None

    async def get(self, id: str) -> Item | None:
        if self.error:
            raise self.error
        return self.items.get(id)

    async def check(self) -> None:
        await self.get("")


@pytest.fixture
def widgets() -> Widgets:
    return Widgets()


class Dependency:
    error: Exception | None = None

    async def check(self) -> None:
        if self.error:
            raise self.error


@pytest.fixture
def sidecar() -> Dependency:
    return Dependency()


@pytest.fixture
def client(widgets: Widgets, sidecar: Dependency) -> Iterator[TestClient]:
    app = api.build({"widgets": widgets.get}, {"daprd": sidecar.check}, {"postgresql": widgets.check})
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def error(client: TestClient, path: str, status: int, type: str) -> dict[str, Any]:
    response = client.get(path)
    body: dict[str, Any] = response.json()
    assert (response.status_code, body["code"], body["type"]) == (status, status, type)
    assert body["message"]
    return body


@pytest.mark.parametrize(
    ("id", "path"),
    [
        ("w", "w"),
        ("a b", "a%20b"),
        ("café", "caf%C3%A9"),
        ("a/b", "a%2Fb"),
        ("a/b", "a/b"),
        ("%", "%25"),
        ("\n", "%0A"),
        ("a\n", "a%0A"),
        ("a\nb", "a%0Ab"),
        ("?", "%3F"),
    ],
)
def test_an_item_is_found_by_its_id_however_it_is_written(
    client: TestClient, widgets: Widgets, id: str, path: str
) -> None:
    widgets.items[id] = Item(id, "d", Decimal("0.1"))
    response = client.get(f"/v1/widgets/{path}")
    assert response.json() == {"id": id, "description": "d", "price": 0.1}
    assert b'"price":0.1}' in response.content
    assert response.headers["content-type"] == "application/json"


def test_a_line_break_is_part_of_an_id(client: TestClient, widgets: Widgets) -> None:
    widgets.items["a"] = Item("a", "d", Decimal(1))
    error(client, "/v1/widgets/a%0A", 404, "NOT_FOUND")


def test_every_kind_of_no_has_its_words(client: TestClient, widgets: Widgets) -> None:
    error(client, "/v1/widgets/missing", 404, "NOT_FOUND")
    error(client, "/v1/nothing/x", 404, "NOT_FOUND")
    error(client, "/nothing", 404, "NOT_FOUND")
    error(client, "/v1/widgets/", 400, "BAD_REQUEST")
    error(client, "/v1/widgets/" + "x" * 257, 400, "BAD_REQUEST")
    error(client, "/v1/widgets/%00", 400, "BAD_REQUEST")


def test_a_wrong_method_is_said(client: TestClient) -> None:
    response = client.post("/v1/widgets/w")
    assert (response.status_code, response.json()["type"]) == (405, "METHOD_NOT_ALLOWED")
    assert "GET" in response.headers["allow"]


def test_a_dependency_that_is_down_is_named_and_may_be_tried_again(
    client: TestClient, widgets: Widgets
) -> None:
    widgets.error = Unavailable("postgresql")
    body = error(client, "/v1/widgets/w", 503, "UNAVAILABLE")
    assert body["details"] == {"dependency": "postgresql"}
    assert client.get("/v1/widgets/w").headers["retry-after"] == "1"


def test_a_fault_of_ours_tells_nothing_of_itself(client: TestClient, widgets: Widgets) -> None:
    widgets.error = RuntimeError("password=hunter2 at 10.0.0.1")
    body = error(client, "/v1/widgets/w", 500, "INTERNAL_SERVER_ERROR")
    assert "hunter2" not in str(body)
    assert "10.0.0.1" not in str(body)


def test_readiness_names_each_dependency(client: TestClient, widgets: Widgets) -> None:
    assert client.get("/readyz").json() == {
        "ready": True,
        "dependencies": {"postgresql": "ok", "daprd": "ok"},
    }
    widgets.error = Unavailable("postgresql")
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json()["dependencies"] == {"postgresql": "unavailable", "daprd": "ok"}


def test_without_an_essential_dependency_it_is_not_ready(client: TestClient, sidecar: Dependency) -> None:
    sidecar.error = Unavailable("daprd")
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json() == {"ready": False, "dependencies": {"postgresql": "ok", "daprd": "unavailable"}}
    assert client.get("/healthz").status_code == 200


def test_requests_are_counted_by_resource_and_status(client: TestClient) -> None:
    client.get("/v1/widgets/missing")
    assert 'dapr_hero_requests_total{resource="widgets",status="404"}' in client.get("/metrics").text


def test_the_api_describes_itself(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    assert {"/v1/widgets/{id}", "/v1/gadgets/{id}", "/v1/products/{id}"} <= set(document["paths"])
    references = str(document)
    for name in ("Item", "ErrorBody"):
        assert f"#/components/schemas/{name}" in references
        assert name in document["components"]["schemas"]
    page = client.get("/docs").text
    assert "GET /v1/widgets/{id}" in page
    assert "http://" not in page
    assert "https://" not in page
