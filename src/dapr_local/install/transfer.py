"""Downloads over http(s). Every wait has a limit, so a machine without a network fails in seconds."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import closing, contextmanager
from http.client import HTTPException, HTTPMessage, HTTPResponse
from ipaddress import ip_address
from threading import Thread
from typing import IO
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

CONNECT_SECONDS = 5.0  # for each address of the host, and the longest silence after that
ANSWER_SECONDS = 10.0  # until the answer starts: name servers, connections, TLS and redirects together
SLOW_SECONDS, SLOW_BYTES = (
    10.0,
    1 << 16,
)  # a transfer that brings fewer bytes than this in that time has stalled
CHUNK_BYTES = 1 << 20

Accepts = Callable[[str], bool]


class DownloadError(Exception):
    """The address does not provide the file; another source may."""


class BrokenOffError(DownloadError):
    """The transfer stopped or stalled; a retry may succeed."""


def is_private(url: str) -> bool:
    """Return whether the answer cannot be changed on its way: https, or a server on this machine."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(parts.hostname or ""))


def is_http(url: str) -> bool:
    """Return whether the address is one of http or https."""
    return urlsplit(url).scheme in ("http", "https")


@contextmanager
def opened(url: str, accepts: Accepts) -> Iterator[HTTPResponse]:
    """Give the answer to a GET of `url`; `accepts` says which addresses may be asked, redirects included.

    Raises: DownloadError.
    """
    try:
        if not accepts(url):
            raise DownloadError(f"{url} is not an https address")
        answer = _answer(url, accepts)
    except HTTPError as error:
        error.close()
        raise DownloadError(f"{url} answers HTTP {error.code}") from None
    except (OSError, HTTPException, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise DownloadError(f"{url} cannot be reached: {reason}") from None
    with closing(answer):
        yield answer


def chunks(answer: HTTPResponse, url: str) -> Iterator[bytes]:
    """Return the body piece by piece, as it arrives. Raises: BrokenOffError when it stops or stalls."""
    total, done = answer.length, 0
    since, due = time.monotonic(), SLOW_BYTES
    while total is None or done < total:
        try:
            chunk = answer.read1(CHUNK_BYTES)
        except (OSError, HTTPException) as error:
            raise BrokenOffError(f"{url} broke off after {_share(done, total)}: {error}") from None
        if not chunk:
            break
        done += len(chunk)
        if time.monotonic() - since > SLOW_SECONDS:
            if done < due:
                raise BrokenOffError(f"{url} stalled after {_share(done, total)}")
            since, due = time.monotonic(), done + SLOW_BYTES
        yield chunk
    if total not in (None, done):
        raise BrokenOffError(f"{url} broke off after {_share(done, total)}")


class _Redirects(HTTPRedirectHandler):
    """Follows a redirect to an accepted address only."""

    def __init__(self, accepts: Accepts) -> None:
        self._accepts = accepts

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        if not self._accepts(newurl):
            fp.close()
            raise DownloadError(f"{req.full_url} redirects to {newurl}, which is not an https address")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _answer(url: str, accepts: Accepts) -> HTTPResponse:
    # In a thread, because the time that name servers take can be limited in no other way.
    future: Future[HTTPResponse] = Future()
    Thread(target=_ask, args=(url, accepts, future), daemon=True).start()
    wait([future], ANSWER_SECONDS)
    if future.done():
        return future.result()
    future.add_done_callback(_close)
    raise TimeoutError(f"no answer within {ANSWER_SECONDS:g} s")


def _ask(url: str, accepts: Accepts, future: "Future[HTTPResponse]") -> None:
    try:
        future.set_result(build_opener(_Redirects(accepts)).open(url, timeout=CONNECT_SECONDS))
    except Exception as error:
        future.set_exception(error)


def _close(late: "Future[HTTPResponse]") -> None:
    if not late.exception():
        late.result().close()


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _share(done: int, total: int | None) -> str:
    return f"{done} of {total} bytes" if total is not None else f"{done} bytes"
