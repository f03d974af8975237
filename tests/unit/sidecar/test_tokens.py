from dapr_hero.settings import Settings
from dapr_hero.sidecar import tokens


def test_the_token_goes_into_the_header_of_dapr() -> None:
    assert tokens.to_daprd(Settings(dapr_api_token="secret")) == {"dapr-api-token": "secret"}


def test_no_header_is_sent_without_a_token() -> None:
    assert tokens.to_daprd(Settings(dapr_api_token="")) == {}
