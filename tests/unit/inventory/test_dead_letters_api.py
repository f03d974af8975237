import pytest
from starlette.testclient import TestClient

from dapr_hero.contract.dead_letter import DeadLetterState, Page
from dapr_hero.inventory import dead_letters_api
from dapr_hero.inventory.dead_letters import DeadLetters, Place
from dapr_hero.sidecar.tokens import HEADER

TOKEN = "token"
URL = "http://127.0.0.1:3003"


class Letters(DeadLetters):
    """None; remembers where a page was to begin."""

    def __init__(self) -> None:
        self.after: Place | None = None

    async def page(self, state: DeadLetterState, limit: int, after: Place | None = None) -> Page:
        self.after = after
        return Page(0, [])


@pytest.fixture
def letters() -> Letters:
    return Letters()


@pytest.fixture
def client(letters: Letters) -> TestClient:
    app = dead_letters_api.build(letters, TOKEN)
    headers = {HEADER: TOKEN}
    return TestClient(app, URL, raise_server_exceptions=False, headers=headers)


@pytest.mark.parametrize("token", [None, "", "wrong"])
@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("POST", "/k/replay"), ("DELETE", "/k")])
def test_a_caller_needs_the_token(letters: Letters, token: str | None, method: str, path: str) -> None:
    client = TestClient(dead_letters_api.build(letters, TOKEN), URL)
    headers = {} if token is None else {HEADER: token}
    response = client.request(method, f"/v1/dead-letters{path}", headers=headers)
    assert (response.status_code, response.json()["type"]) == (401, "UNAUTHORIZED")


@pytest.mark.parametrize("host", ["attacker.example", "localhost.attacker.example:3003", "10.0.0.1:3003", ""])
def test_a_name_that_is_not_of_this_machine_is_forbidden(client: TestClient, host: str) -> None:
    response = client.get("/v1/dead-letters", headers={"host": host})
    assert (response.status_code, response.json()["type"]) == (403, "FORBIDDEN")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:9", "127.0.0.1:3003", "[::1]:3003"])
def test_names_of_this_machine_are_allowed(client: TestClient, host: str) -> None:
    assert client.get("/v1/dead-letters", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://localhost:3006", 200),
        ("http://127.0.0.1:3003", 200),
        ("https://attacker.example", 403),
        ("null", 403),
        ("http://[", 403),
    ],
)
def test_pages_of_other_sites_are_forbidden(client: TestClient, origin: str, status: int) -> None:
    assert client.get("/v1/dead-letters", headers={"origin": origin}).status_code == status


@pytest.mark.parametrize(
    "query",
    [
        *("limit=0", "limit=1001", "limit=-1", "limit=1e3", "limit=", "limit=" + "9" * 5000, "state=x"),
        *("after=", "after=x/k", "after=2026-01-01T00:00:00/k", "after=2026-01-01T00:00:00Z/"),
        "after=2026-01-01T00:00:00Z/%00",
        "after=0001-01-01T00:00:00%2B14:00/k",
        "after=9999-12-31T23:59:59-14:00/k",
    ],
)
def test_a_query_that_means_nothing_is_said(client: TestClient, query: str) -> None:
    response = client.get(f"/v1/dead-letters?{query}")
    assert (response.status_code, response.json()["type"]) == (400, "BAD_REQUEST")


def test_a_page_begins_where_the_one_before_ended(client: TestClient, letters: Letters) -> None:
    assert client.get("/v1/dead-letters?after=2026-01-01T01:00:00%2B01:00/k").json()["total"] == 0
    assert letters.after
    assert (letters.after.last_at.isoformat(), letters.after.key) == ("2026-01-01T00:00:00+00:00", "k")


@pytest.mark.parametrize(
    ("path", "allowed"), [("", "GET, HEAD"), ("/k", "DELETE, GET, HEAD"), ("/k/replay", "POST")]
)
def test_a_wrong_method_hears_the_right_ones(client: TestClient, path: str, allowed: str) -> None:
    response = client.put(f"/v1/dead-letters{path}")
    assert (response.status_code, response.headers["allow"]) == (405, allowed)
    assert allowed in response.json()["message"]
