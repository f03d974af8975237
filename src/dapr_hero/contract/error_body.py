"""The body of every error of the REST APIs, for the services and their clients."""

import msgspec


class ErrorBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """`code` is the HTTP status."""

    type: str
    code: int
    message: str
    details: dict[str, str] | None = None
