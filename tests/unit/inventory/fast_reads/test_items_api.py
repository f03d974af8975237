from decimal import Decimal

import pytest
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from dapr_hero.contract.errors import Unavailable
from dapr_hero.contract.items import MAX_ID, Item
from dapr_hero.inventory.fast_reads.items_api import ItemsApi


class Widgets:
    error: Exception | None = None

    async def get(self, id: str) -> Item | None:
        if self.error:
            raise self.error
        return Item(id, "a widget", Decimal("0.10")) if id != "missing" else None


@pytest.fixture
def widgets() -> Widgets:
    return Widgets()


@pytest.fixture
def client(widgets: Widgets) -> TestClient:
    app = ItemsApi({"widgets": widgets.get}, PlainTextResponse("another app"))
    return TestClient(app, raise_server_exceptions=False)


@pytest.mark.parametrize("id", ["w1", "a/b", "é 😀", "x" * MAX_ID])
def test_an_item_is_read_by_any_id(client: TestClient, id: str) -> None:
    response = client.get(f"/v1/widgets/{id}")
    assert response.status_code == 200
    assert response.json()["id"] == id
    assert b'"price":0.10' in response.content


@pytest.mark.parametrize("path", ["/", "/v1/widgets", "/v1/others/a", "/v2/widgets/a", "/healthz"])
def test_all_other_paths_belong_to_the_other_app(client: TestClient, path: str) -> None:
    assert client.get(path).text == "another app"


@pytest.mark.parametrize(("id", "status"), [("", 400), ("x" * (MAX_ID + 1), 400), ("missing", 404)])
def test_a_request_without_an_item_is_an_error(client: TestClient, id: str, status: int) -> None:
    response = client.get(f"/v1/widgets/{id}")
    assert (response.status_code, response.json()["code"]) == (status, status)


def test_another_method_is_rejected_with_the_allowed_ones(client: TestClient) -> None:
    response = client.post("/v1/widgets/a")
    assert (response.status_code, response.headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize(
    ("error", "status"), [(Unavailable("postgresql", "at 10.0.0.5"), 503), (ValueError("at 10.0.0.5"), 500)]
)
def test_a_failure_shows_no_details(
    client: TestClient, widgets: Widgets, error: Exception, status: int
) -> None:
    widgets.error = error
    response = client.get("/v1/widgets/a")
    assert response.status_code == status
    assert "10.0.0.5" not in response.text
