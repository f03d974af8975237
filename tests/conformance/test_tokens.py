"""The two tokens, in every mode; that nothing needs one where none is set, all other tests show."""

import grpc
import pytest

from dapr_hero.contract.kinds import KINDS
from dapr_hero.settings import Settings
from dapr_hero.sidecar.interface import NO_ETAG, Sidecar, StateEntry
from tests.conformance.conftest import Handler
from tests.conformance.fake_sidecar import Deliverer, FakeSidecar
from tests.conformance.test_events_in import failure
from tests.events import event

REFUSED = (401, grpc.StatusCode.UNAUTHENTICATED)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"dapr_api_token": "for-daprd", "app_api_token": "for-the-app"})


async def test_every_call_to_daprd_has_its_token(fake: FakeSidecar, sidecar: Sidecar) -> None:
    fake.secrets["postgres"] = {"host": "h"}
    await sidecar.get_secret("secretstore", "postgres")
    await sidecar.get_states("statestore", ["k"])
    await sidecar.save_states("statestore", [StateEntry("k", b"{}", NO_ETAG)])
    await sidecar.publish("pubsub", "inventory", b"{}")
    assert fake.round_trips == 4
    assert fake.tokens == {"for-daprd"}


async def test_daprd_is_let_in_with_the_token_of_the_app(daprd: Deliverer, handler: Handler) -> None:
    assert await daprd.one("/widgets.v1", event()) == "SUCCESS"
    assert await daprd.bulk("/widgets.v1", [event()]) == ["SUCCESS"]
    assert len(await daprd.registrations()) == len(KINDS) + 2


@pytest.mark.parametrize("token", ["", "for-daprd", "for-the-ap", "for-the-app2"])
async def test_callers_without_the_token_are_rejected(daprd: Deliverer, handler: Handler, token: str) -> None:
    stranger = Deliverer(daprd.settings.model_copy(update={"app_api_token": token}))
    for delivery in (stranger.one("/widgets.v1", event()), stranger.bulk("/widgets.v1", [event()])):
        assert await failure(delivery) in REFUSED
    assert handler.batches == []


async def test_daprds_question_without_a_token_is_answered(daprd: Deliverer) -> None:
    """Over gRPC daprd asks for the subscriptions without a token; over HTTP it sends the token there, too."""
    stranger = Deliverer(daprd.settings.model_copy(update={"app_api_token": ""}))
    if daprd.settings.dapr_mode.protocol == "grpc":
        assert len(await stranger.registrations()) == len(KINDS) + 2
    else:
        assert await failure(stranger.registrations()) in REFUSED
