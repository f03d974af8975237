from collections.abc import Iterator

import pytest
from dapr.conf import global_settings
from dapr.conf import settings as sdk

from dapr_hero.modes.shared import sdk_settings
from dapr_hero.service.limits import MAX_MESSAGE_BYTES
from dapr_hero.settings import Settings

NAMES = [name for name in vars(global_settings) if name.isupper()]


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    before = dict(vars(sdk))
    yield
    vars(sdk).clear()
    vars(sdk).update(before)


def test_no_variable_of_the_sdk_outranks_our_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.setenv(name, "9")
    settings = Settings(dapr_http_port=3333, dapr_grpc_port=4444, request_timeout_seconds=2.0)
    sdk_settings.configure(settings.model_copy(update={"dapr_api_token": "ours"}))
    found = {name: getattr(sdk, name) for name in NAMES}
    assert found == {
        **{name: getattr(global_settings, name) for name in NAMES},
        "DAPR_RUNTIME_HOST": "127.0.0.1",
        "DAPR_HTTP_PORT": 3333,
        "DAPR_GRPC_PORT": 4444,
        "DAPR_API_TOKEN": "ours",
        "DAPR_API_TIMEOUT_SECONDS": 2.0,
        "DAPR_HEALTH_TIMEOUT": 2.0,
        "DAPR_GRPC_MAX_INBOUND_MESSAGE_SIZE_BYTES": MAX_MESSAGE_BYTES,
    }


def test_without_a_token_the_sdk_sends_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAPR_API_TOKEN", "foreign")
    sdk_settings.configure(Settings(dapr_api_token=""))
    assert sdk.DAPR_API_TOKEN is None
