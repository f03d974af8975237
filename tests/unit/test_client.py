"""Publishing through a daprd that wants a token."""

import asyncio
from collections.abc import Iterator

import pytest

from dapr_hero import client
from dapr_hero.client import ClientError
from dapr_hero.local.ports import on_free_ports
from dapr_hero.local.report import ConsoleReport
from dapr_hero.settings import Settings
from tests.conformance.fake_sidecar import FakeSidecar


@pytest.fixture
def settings() -> Settings:
    return on_free_ports(dapr_api_token="for-daprd")


@pytest.fixture
def fake(settings: Settings) -> Iterator[FakeSidecar]:
    fake = FakeSidecar()
    asyncio.run(fake.start(settings))
    yield fake
    asyncio.run(fake.stop())


def publish(settings: Settings) -> None:
    asyncio.run(client.publish(settings, iter([b"{}"]), 1, ConsoleReport()))


def test_an_event_is_published_with_the_token(settings: Settings, fake: FakeSidecar) -> None:
    publish(settings)
    assert (len(fake.published), fake.tokens) == (1, {"for-daprd"})


def test_a_wrong_token_is_said_with_what_to_set(settings: Settings, fake: FakeSidecar) -> None:
    fake.wants = "another"
    with pytest.raises(ClientError, match="DAPR_API_TOKEN"):
        publish(settings)
