"""A gRPC status is either an outage or the refusal of one item."""

import grpc
import pytest

from dapr_hero.contract.errors import Refused, Unavailable
from dapr_hero.sidecar import grpc_errors

CODE = grpc.StatusCode


@pytest.mark.parametrize(
    ("code", "details", "kind"),
    [
        (CODE.INVALID_ARGUMENT, "input key can't contain '||'", Refused),
        (CODE.RESOURCE_EXHAUSTED, "Sent message larger than max (70000000 vs. 67108864)", Refused),
        (CODE.INVALID_ARGUMENT, "state store statestore is not found", Unavailable),
        (CODE.RESOURCE_EXHAUSTED, "too many requests", Unavailable),
        (CODE.FAILED_PRECONDITION, "state store is not configured", Unavailable),
        (CODE.PERMISSION_DENIED, "access control policy has denied access", Unavailable),
        (CODE.UNAUTHENTICATED, None, Unavailable),
        (CODE.INTERNAL, "failed saving state in state store statestore", Unavailable),
        (CODE.UNAVAILABLE, "connection refused", Unavailable),
        (CODE.DEADLINE_EXCEEDED, "", Unavailable),
        (CODE.UNIMPLEMENTED, "unknown method", Unavailable),
    ],
)
def test_a_status_of_grpc_is_an_outage_or_a_refusal(
    code: grpc.StatusCode, details: str | None, kind: type[Exception]
) -> None:
    failure = grpc_errors.failure("statestore", code, details)
    assert type(failure) is kind
    if isinstance(failure, Unavailable):
        assert code.name in failure.cause
        assert str(failure) == "statestore is unavailable; try again"
