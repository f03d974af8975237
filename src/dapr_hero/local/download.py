"""Downloads a file from a published archive, if the archive has the expected checksum."""

import hashlib
import re
import shutil
import tarfile
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import urlopen

from rich.filesize import decimal

from dapr_hero.local.report import Report

TIMEOUT_SECONDS = 5.0  # to connect, and between two arrivals of data
# Slower than this, building from source is the faster way.
MIN_BYTES_PER_SECOND = 100_000
GRACE_SECONDS = 10.0
CHUNK_BYTES = 1 << 20
_CHECKSUM_FILE_BYTES = 1000
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class DownloadError(Exception):
    """The archive cannot be had from there; another source may do."""


class ChecksumError(Exception):
    """The archive is not the one that was expected."""


def fetch(url: str, member: str, sha256: str | None, work: Path, report: Report) -> Path:
    """Download the tar.gz at `url` into the folder `work` and unpack `member` there; return its path.

    If no `sha256` is known, the archive has to match the one that its release publishes as `url`.sha256.
    Raises: DownloadError if it cannot be had; ChecksumError if it is not the expected one.
    """
    _check_secure(url, known=sha256 is not None)
    archive = work / url.rpartition("/")[2]
    expected = sha256 or _published(f"{url}.sha256")
    got = _receive(url, archive, report)
    if got != expected:
        raise ChecksumError(f"{url} has the sha256 {got}, but {expected} is expected")
    proof = "a checksum known to dapr-hero" if sha256 else f"the checksum published at {url}.sha256"
    report.say(f"{archive.name} matches {proof}")
    return _unpack(archive, member)


def _check_secure(url: str, *, known: bool) -> None:
    """Raise DownloadError for an address from which a checksum could not be trusted."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https"):
        raise DownloadError(f"{url} is neither http nor https")
    if parts.scheme == "http" and not known and parts.hostname not in _LOOPBACK:
        raise DownloadError(f"{url} is not https, and its checksum is not known to dapr-hero")


def _published(url: str) -> str:
    """Return the checksum in the file at `url`, in the format of sha256sum."""
    with _opened(url) as answer:
        text = answer.read(_CHECKSUM_FILE_BYTES).decode(errors="replace")
    found = re.match(r"\s*([0-9a-fA-F]{64})(\s|$)", text)
    if not found:
        raise DownloadError(f"{url} is not a sha256 checksum")
    return found[1].lower()


@contextmanager
def _opened(url: str) -> Iterator[HTTPResponse]:
    """Open the address; map every error in the block to DownloadError."""
    try:
        with urlopen(url, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310, checked in fetch
            if url.startswith("https:") and not answer.url.startswith("https:"):
                raise DownloadError(f"{url} redirects to {answer.url}, which is not https")
            yield answer
    except HTTPError as error:
        error.close()
        raise DownloadError(f"{url} answers HTTP {error.code}") from None
    except (OSError, HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise DownloadError(f"{url} cannot be downloaded: {reason}") from None


def _receive(url: str, archive: Path, report: Report) -> str:
    """Download the file; return its sha256."""
    digest = hashlib.sha256()
    with _opened(url) as answer, archive.open("wb") as file:
        length = answer.headers["Content-Length"]
        total = int(length) if length else None
        started = time.monotonic()
        with report.track(f"Downloading {archive.name}", total, "bytes") as advance:
            while chunk := answer.read1(CHUNK_BYTES):
                file.write(chunk)
                digest.update(chunk)
                advance(len(chunk))
                seconds = time.monotonic() - started
                if seconds > GRACE_SECONDS and file.tell() < seconds * MIN_BYTES_PER_SECOND:
                    raise DownloadError(f"{url} is too slow: {decimal(file.tell())} in {seconds:.0f} s")
        if total not in (None, file.tell()):
            raise DownloadError(f"{url} broke off after {file.tell()} of {total} bytes")
    return digest.hexdigest()


def _unpack(archive: Path, member: str) -> Path:
    """Copy only the content of the one file: no name, link or mode in the archive reaches the disk."""
    target = archive.with_name(member)
    try:
        with tarfile.open(archive, "r:gz") as tar:
            content = tar.extractfile(tar.getmember(member))
            if content is None:
                raise DownloadError(f"{member} in {archive.name} is not a file")
            with content, target.open("wb") as file:
                shutil.copyfileobj(content, file)
    except (KeyError, EOFError, zlib.error, tarfile.TarError) as error:
        raise DownloadError(f"{archive.name} holds no {member}: {error}") from None
    return target
