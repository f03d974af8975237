"""The two kinds of failure of a dependency. They know no HTTP; `problems` has the answers to REST requests.

Exception
├── Unavailable   not now: wait. The event is parked or retried.
├── Refused       never, for this item. The event becomes a dead letter.
└── ValueError
    └── items.Malformed   never, whatever the dependency says: the input is wrong.
"""

import grpc


class Unavailable(Exception):
    """A dependency cannot serve anything now; the same call may work later.

    The message may be shown to callers. `cause` is for logs: it may hold addresses and other details.
    """

    def __init__(self, dependency: str, cause: str = "") -> None:
        super().__init__(f"{dependency} is unavailable; try again")
        self.dependency = dependency
        self.cause = cause


class Refused(Exception):
    """A dependency has answered that it will never accept this item; it may accept others."""

    def __init__(self, dependency: str, cause: str) -> None:
        super().__init__(f"{dependency} refused the item: {cause}")


# A message that is larger than either side allows has this status, but so has a server without resources.
_TOO_LARGE = "larger than max"
# daprd's answer for a component that is not loaded: no item is at fault.
_NOT_FOUND = "not found"


def of_grpc(dependency: str, code: grpc.StatusCode, details: str | None) -> Unavailable | Refused:
    """Return the kind of failure that a gRPC status stands for.

    See https://grpc.io/docs/guides/status-codes/.
    """
    details = details or ""
    invalid = code is grpc.StatusCode.INVALID_ARGUMENT and _NOT_FOUND not in details
    too_large = code is grpc.StatusCode.RESOURCE_EXHAUSTED and _TOO_LARGE in details
    if invalid or too_large:
        return Refused(dependency, details)
    return Unavailable(dependency, f"{code.name}: {details}")
