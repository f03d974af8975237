"""The answers of the platform to its clients: a body, or an error with one clear message."""

from http import HTTPStatus

import msgspec

from dapr_hero.contract.error_body import ErrorBody
from dapr_hero.contract.errors import UserError

MAX_BYTES = 64 * 1024 * 1024
REJECTED = "the API token is wrong: use the DAPR_HERO_DATA_DIR or the DAPR_API_TOKEN of the running platform"


class ClientError(UserError):
    """The platform cannot be reached or has refused; the message says what to do."""


def text(body: bytes) -> str:
    """Return the body as text. Raises: ValueError for one that is too large or not text."""
    if len(body) > MAX_BYTES:
        raise ValueError(f"the answer is larger than {MAX_BYTES:,} bytes")
    return body.decode()


def accepted(status: int, body: str) -> str:
    """Return the body of a successful answer of inventory. Raises: ClientError for any other."""
    if status == HTTPStatus.UNAUTHORIZED:
        raise ClientError(REJECTED)
    if not 200 <= status < 300:
        raise ClientError(f"{status}: {_message(body)}")
    return body


def missing(url: object, error: Exception) -> ClientError:
    """Return the error for an answer that did not come.

    It leaves out the text of the error, which may hold the request's headers, and so the token.
    """
    reason = str(error) if type(error) is ValueError else type(error).__name__
    return ClientError(f"inventory does not answer at {url} ({reason}): is the platform up (make run)?")


def _message(body: str) -> str:
    """Return the message of an error body; an excerpt of a body that is not ours."""
    try:
        return msgspec.json.decode(body, type=ErrorBody).message
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return f"not an answer of inventory: {body[:200]!r}. Is another server on this port?"
