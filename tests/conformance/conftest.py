import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from dapr_hero import modes
from dapr_hero.contract.events import STORED, CloudEvent, Outcome
from dapr_hero.contract.mode import Mode
from dapr_hero.contract.routing import subscriptions
from dapr_hero.local.chosen_ports import on_free_ports
from dapr_hero.settings import Settings
from dapr_hero.sidecar import interface
from tests.conformance.fake_sidecar import Deliverer, FakeSidecar


class Handler:
    """Stands for the handlers: records what it gets, and answers what the test says."""

    def __init__(self) -> None:
        self.batches: list[tuple[str, list[CloudEvent]]] = []
        self.outcomes: dict[str, Outcome] = {}
        self.gate: asyncio.Event | None = None
        self.entered = asyncio.Event()
        self.error: Exception | None = None

    async def deliver(self, path: str, batch: Sequence[CloudEvent]) -> list[Outcome]:
        self.batches.append((path, list(batch)))
        self.entered.set()
        if self.gate:
            await self.gate.wait()
        if self.error:
            raise self.error
        return [self.outcomes.get(event.id, STORED) for event in batch]


# For tests of what only one protocol has: the other parameters of `settings` are replaced.
http_only = pytest.mark.parametrize("settings", [Mode.SDK_HTTP, Mode.CUSTOM_HTTP], indirect=True)
grpc_only = pytest.mark.parametrize("settings", [Mode.SDK_GRPC, Mode.CUSTOM_GRPC], indirect=True)


@pytest.fixture(params=list(Mode), ids=lambda mode: mode.value)
def settings(request: pytest.FixtureRequest) -> Settings:
    return on_free_ports(dapr_mode=request.param, sidecar_timeout_seconds=10, request_timeout_seconds=2)


@pytest.fixture
async def sidecar(settings: Settings, fake: FakeSidecar) -> AsyncIterator[interface.Sidecar]:
    sidecar = await modes.load(settings.dapr_mode).connect(settings)
    yield sidecar
    await sidecar.close()


@pytest.fixture
def handler() -> Handler:
    return Handler()


@pytest.fixture
async def daprd(settings: Settings, handler: Handler) -> AsyncIterator[Deliverer]:
    """A client that delivers to the running listener of the mode."""
    listener = await modes.load(settings.dapr_mode).listen(
        settings, subscriptions(settings.topics), handler.deliver
    )
    yield Deliverer(settings)
    await listener.stop()
