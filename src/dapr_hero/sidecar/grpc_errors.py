"""Translates gRPC statuses into the two kinds of failure."""

import grpc

from dapr_hero.contract.errors import Refused, Unavailable

# A message that is larger than either side allows has this status, but so has a server without resources.
_TOO_LARGE = "larger than max"
# daprd's answer for a component that is not loaded: no item is at fault.
_NOT_FOUND = "not found"


def failure(dependency: str, code: grpc.StatusCode, details: str | None) -> Unavailable | Refused:
    """Return the kind of failure that a gRPC status stands for.

    See https://grpc.io/docs/guides/status-codes/.
    """
    details = details or ""
    invalid = code is grpc.StatusCode.INVALID_ARGUMENT and _NOT_FOUND not in details
    too_large = code is grpc.StatusCode.RESOURCE_EXHAUSTED and _TOO_LARGE in details
    if invalid or too_large:
        return Refused(dependency, details)
    return Unavailable(dependency, f"{code.name}: {details}")
