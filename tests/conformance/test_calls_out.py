"""The calls of every mode to its sidecar, and its handling of the responses."""

import asyncio
import json

import pytest

from dapr_hero import modes
from dapr_hero.contract.errors import Unavailable
from dapr_hero.service import tracing
from dapr_hero.settings import Settings
from dapr_hero.sidecar.interface import NO_ETAG, Conflict, Sidecar, StateEntry
from tests.conformance.fake_sidecar import FakeSidecar
from tests.events import event

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def test_a_secret_comes_whole(fake: FakeSidecar, sidecar: Sidecar) -> None:
    fake.secrets["postgres"] = {"host": "h", "password": "p/ä"}
    assert await sidecar.get_secret("secretstore", "postgres") == {"host": "h", "password": "p/ä"}


async def test_states_are_saved_and_read_back_in_one_round_trip_each(
    fake: FakeSidecar, sidecar: Sidecar
) -> None:
    states = [
        StateEntry(f"gadget:{number}", b'{"price":"0.1","d":"\xc3\xa9"}', NO_ETAG) for number in range(100)
    ]
    await sidecar.save_states("statestore", states)
    found = await sidecar.get_states("statestore", [state.key for state in states] + ["missing"])
    assert set(found) == {state.key for state in states}
    for state in states:
        assert json.loads(found[state.key].value) == json.loads(state.value)
        assert found[state.key].etag == "1"
    assert fake.round_trips == 2


async def test_an_entry_in_force_is_replaced_and_an_outdated_one_is_a_conflict(
    fake: FakeSidecar, sidecar: Sidecar
) -> None:
    await sidecar.save_states("statestore", [StateEntry("k", b'{"n":1}', NO_ETAG)])
    await sidecar.save_states("statestore", [StateEntry("k", b'{"n":2}', "1")])
    with pytest.raises(Conflict):
        await sidecar.save_states("statestore", [StateEntry("k", b'{"n":3}', "1")])
    assert json.loads(fake.states["k"][0]) == {"n": 2}


async def test_an_entry_that_cannot_be_read_is_never_taken_for_missing(
    fake: FakeSidecar, sidecar: Sidecar
) -> None:
    fake.broken_keys = {"b"}
    with pytest.raises(Unavailable):
        await sidecar.get_states("statestore", ["a", "b"])


async def test_a_failing_sidecar_is_unavailable_in_every_call(fake: FakeSidecar, sidecar: Sidecar) -> None:
    fake.failing = True
    await _every_call_is_unavailable(sidecar)


async def test_a_sidecar_that_is_gone_is_unavailable_in_every_call(
    fake: FakeSidecar, sidecar: Sidecar
) -> None:
    await fake.stop()
    await _every_call_is_unavailable(sidecar)


async def test_an_event_is_published_as_it_is(fake: FakeSidecar, sidecar: Sidecar) -> None:
    body = json.dumps(event(price=0.1)).encode()
    await sidecar.publish("pubsub", "inventory", body)
    [(pubsub, topic, published, content_type)] = fake.published
    assert (pubsub, topic, published) == ("pubsub", "inventory", body)
    assert content_type.partition(";")[0] == "application/cloudevents+json"


async def test_calls_continue_the_trace(fake: FakeSidecar, sidecar: Sidecar) -> None:
    with tracing.call("test", TRACE):
        await sidecar.get_states("statestore", ["k"])
        await sidecar.save_states("statestore", [StateEntry("k", b"{}", NO_ETAG)])
    assert [each.split("-")[1] for each in fake.traceparents] == [TRACE.split("-")[1]] * 2


async def test_the_app_waits_for_a_sidecar_that_is_not_up_yet(settings: Settings) -> None:
    connecting = asyncio.create_task(modes.load(settings.dapr_mode).connect(settings))
    done, _ = await asyncio.wait({connecting}, timeout=0.2)
    assert not done
    fake = FakeSidecar()
    fake.healthy = False
    await fake.start(settings)
    done, _ = await asyncio.wait({connecting}, timeout=0.2)
    assert not done
    fake.healthy = True
    async with asyncio.timeout(10):
        sidecar = await connecting
    await sidecar.close()
    await fake.stop()


async def test_a_sidecar_that_never_comes_is_said(settings: Settings) -> None:
    impatient = settings.model_copy(update={"sidecar_timeout_seconds": 0.2})
    with pytest.raises(Unavailable, match="daprd"):
        await modes.load(settings.dapr_mode).connect(impatient)


async def test_without_a_token_none_is_sent(fake: FakeSidecar, sidecar: Sidecar) -> None:
    await sidecar.get_states("statestore", ["k"])
    assert fake.tokens == {None}


async def _every_call_is_unavailable(sidecar: Sidecar) -> None:
    calls = (
        sidecar.get_secret("secretstore", "postgres"),
        sidecar.get_states("statestore", ["k"]),
        sidecar.save_states("statestore", [StateEntry("k", b"{}", NO_ETAG)]),
        sidecar.publish("pubsub", "inventory", b"{}"),
    )
    async with asyncio.timeout(20):
        for call in calls:
            with pytest.raises(Unavailable):
                await call
