"""A response of daprd over HTTP is an outage, a conflict or the refusal of one item."""

import pytest

from dapr_hero.contract.errors import Refused, Unavailable
from dapr_hero.modes.shared import dapr_http_api
from dapr_hero.sidecar.interface import Conflict


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, b'{"errorCode":"ERR_MALFORMED_REQUEST","message":"key"}', Refused),
        (413, b"", Refused),
        (400, b'{"errorCode":"ERR_STATE_STORE_NOT_FOUND"}', Unavailable),
        (401, b"", Unavailable),
        (403, b"", Unavailable),
        (500, b'{"errorCode":"ERR_STATE_SAVE"}', Unavailable),
        (409, b"", Conflict),
        (502, b"<html>\xff</html>", Unavailable),
    ],
)
def test_a_status_of_http_is_an_outage_or_a_refusal(status: int, body: bytes, kind: type[Exception]) -> None:
    request = dapr_http_api.get_secret("statestore", "key")
    with pytest.raises(kind) as caught:
        dapr_http_api.accepted(request, status, body)
    failure = caught.value
    assert "ERR" not in str(failure) or isinstance(failure, Refused)
