"""The modes are really loaded and really tried; the SDK's newest version may have learnt something."""

import pytest

from benchmarks.compare.capabilities import capabilities
from benchmarks.compare.results import Capabilities
from dapr_hero.contract.mode import Mode


async def found(mode: Mode) -> Capabilities:
    result = await capabilities(mode)
    assert 50 < result.lines < 500
    return result


async def test_the_abilities_of_a_custom_mode() -> None:
    http, grpc = await found(Mode.CUSTOM_HTTP), await found(Mode.CUSTOM_GRPC)
    for each, failure in ((http, "500"), (grpc, "UNKNOWN")):
        assert each.abilities.pop("an exception of the handler becomes") == f"{failure}, so Dapr retries"
        assert set(each.abilities.values()) == {"yes"}
    assert (http.distributions, grpc.distributions) == ([], ["dapr"])


async def test_the_abilities_of_the_sdk_over_http() -> None:
    tried = await found(Mode.SDK_HTTP)
    assert "fastapi" in tried.distributions
    assert tried.abilities["routing by type, said in code"] == "no"
    assert tried.abilities["rejects callers without a token"] == "no"
    assert tried.abilities["awaits asynchronous handlers"] == "yes"


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
async def test_the_abilities_of_the_sdk_over_grpc() -> None:
    tried = await found(Mode.SDK_GRPC)
    assert tried.abilities["routing by type, said in code"] == "yes"
    assert tried.abilities["bulk, said in code"] == "no"
    assert tried.abilities["awaits asynchronous handlers"] == "no"
    assert tried.abilities["an exception of the handler becomes"] == "success: the event is gone"
