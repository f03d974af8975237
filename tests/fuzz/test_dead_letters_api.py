"""The private API of the dead letters, on its paths and queries: it has no description of its own."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dapr_hero.contract.dead_letter import DeadLetter, DeadLetterState, Page
from dapr_hero.inventory import dead_letters_api
from dapr_hero.inventory.dead_letters import DeadLetters, Place
from dapr_hero.service.problems import BadRequest, NotFound
from tests.fuzz import texts
from tests.fuzz.host import Client, Host
from tests.fuzz.profiles import PROFILE
from tests.fuzz.tally import Count
from tests.fuzz.test_http_events import headers
from tests.fuzz.test_rest import METHODS, check_problem

KEY = "0123456789abcdef0123456789abcdef"
UNPLAYABLE = "fedcba9876543210fedcba9876543210"


class Letters(DeadLetters):
    """Two letters, one of which is no CloudEvent; nothing that is done to them lasts."""

    def __init__(self) -> None:
        now = datetime.now(UTC)
        self._letters = {
            key: DeadLetter(key, DeadLetterState.KEPT, "reason", None, None, None, 1, now, now)
            for key in (KEY, UNPLAYABLE)
        }

    async def page(self, state: DeadLetterState, limit: int, after: Place | None = None) -> Page:
        assert 1 <= limit <= 1000
        if after:  # PostgreSQL's driver sends times in UTC, and texts without NUL.
            after.last_at.astimezone(UTC)
            assert "\0" not in after.key
        return Page(2, list(self._letters.values()))

    async def get(self, key: str) -> DeadLetter:
        assert b"\0" not in key.encode()
        if key not in self._letters:
            raise NotFound("there is no such dead letter")
        return self._letters[key]

    async def replay(self, key: str) -> DeadLetter:
        letter = await self.get(key)
        if key == UNPLAYABLE:
            raise BadRequest("this letter is no CloudEvent")
        return letter

    async def discard(self, key: str) -> None:
        await self.get(key)


@pytest.fixture(scope="module")
def client(host: Host) -> Iterator[Client]:
    with host.serving(dead_letters_api.build(Letters(), "")) as client:
        yield client


_anything = st.text(texts.characters, max_size=12).map(lambda text: quote(text, safe=""))
_odd = st.sampled_from(
    ["", "%00", "%ff", "%ed%a0%80", "%", "..", "9" * 5000, "%d9%a1%d9%a0", "-1", "1e3", "1_0"]
)
_limits = st.one_of(st.integers(-2, 2000).map(str), _odd, _anything)
_moments = st.builds(
    lambda moment, zone: quote(moment.isoformat() + zone),
    st.datetimes() | st.sampled_from([datetime.min, datetime.max]),  # noqa: DTZ901
    st.sampled_from(["Z", "+14:00", "-14:00", "", "+00:00:30", "x"]),
)
_places = st.builds(lambda moment, key: f"{moment}/{key}", _moments, _anything | st.just(KEY) | _odd)
_states = st.sampled_from([*DeadLetterState, "KEPT"]) | _odd | _anything
_queries = st.lists(
    st.one_of(
        _limits.map(lambda text: f"limit={text}"),
        st.one_of(_places, _places, _odd, _anything).map(lambda text: f"after={text}"),
        _states.map(lambda text: f"state={text}"),
        _anything,
    ),
    max_size=4,
).map("&".join)
_keys = st.one_of(st.sampled_from([KEY, UNPLAYABLE]), _odd, _anything)
_methods = st.sampled_from(["GET"] * 5 + ["POST", "DELETE"] * 2 + METHODS)


@pytest.mark.parametrize("path", ["", "/{key}", "/{key}/replay"])
@given(_methods, _keys, _queries, headers, st.binary(max_size=20))
@PROFILE
def test_any_request(
    client: Client, count: Count, path: str, method: str, key: str, query: str, more: Any, body: bytes
) -> None:
    response = client.send(method, f"/v1/dead-letters{path.replace('{key}', key)}?{query}", body, more)
    count.add("accepted" if response.status in (200, 204) else "rejected")
    if response.status not in (200, 204, 307):
        check_problem(method, response)
    assert response.status != 503, "nothing was down"


@pytest.mark.parametrize(("state", "expected"), [(state, 200) for state in DeadLetterState] + [("x", 400)])
@given(st.integers(1, 1000), st.none() | st.datetimes())
@PROFILE
def test_a_good_page(
    client: Client, count: Count, state: str, expected: int, limit: int, moment: datetime | None
) -> None:
    after = f"&after={quote(moment.isoformat())}Z/{KEY}" if moment else ""
    response = client.send("GET", f"/v1/dead-letters?state={state}&limit={limit}{after}")
    count.add("accepted" if response.status == 200 else "rejected")
    assert response.status == expected
    if expected == 200:
        assert json.loads(response.body)["total"] == 2
