import asyncio

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from dapr_hero.contract.errors import Unavailable
from dapr_hero.service import health
from dapr_hero.service.health import Check


async def available() -> None: ...


async def unavailable() -> None:
    raise Unavailable("it")


async def broken() -> None:
    raise KeyError("a bug")


async def stalled() -> None:
    await asyncio.Event().wait()


def ready(essential: Check, other: Check) -> tuple[int, dict[str, object]]:
    routes = health.routes({"daprd": essential}, {"postgresql": other})
    response = TestClient(Starlette(routes=routes)).get("/readyz")
    return response.status_code, response.json()


@pytest.fixture(autouse=True)
def short_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "CHECK_SECONDS", 0.05)


def test_a_service_whose_dependencies_are_available_is_ready() -> None:
    expected = {"ready": True, "dependencies": {"daprd": "ok", "postgresql": "ok"}}
    assert ready(available, available) == (200, expected)


@pytest.mark.parametrize("check", [unavailable, broken, stalled])
def test_a_service_is_ready_without_a_store_which_it_names(check: Check) -> None:
    with capture_logs():
        found = ready(available, check)
    expected = {"ready": True, "dependencies": {"daprd": "ok", "postgresql": "unavailable"}}
    assert found == (200, expected)


@pytest.mark.parametrize("check", [unavailable, broken, stalled])
def test_a_service_is_not_ready_without_what_it_needs(check: Check) -> None:
    with capture_logs():
        status, body = ready(check, available)
    assert (status, body["ready"]) == (503, False)


def test_a_check_that_fails_in_an_unexpected_way_is_logged() -> None:
    with capture_logs() as logged:
        ready(available, broken)
    assert [each["log_level"] for each in logged] == ["error"]
