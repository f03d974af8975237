"""A file out of a published archive, kept only when the archive has the expected checksum."""

import hashlib
import shutil
import tarfile
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

from dapr_hero.local.report import Report

TIMEOUT_SECONDS = 5.0  # to connect, and between two arrivals of data
CHUNK_BYTES = 1 << 20


class DownloadError(Exception):
    """The archive cannot be had from there; another source may do."""


class ChecksumError(Exception):
    """The archive is not the one that was expected."""


def fetch(url: str, member: str, sha256: str, work: Path, report: Report) -> Path:
    """Download the tar.gz at `url` into the folder `work` and unpack `member` there.

    Raises: DownloadError when it cannot be had; ChecksumError when it is not the expected one.
    """
    if not url.startswith(("http://", "https://")):
        raise DownloadError(f"{url} is neither http nor https")
    archive = work / url.rpartition("/")[2]
    got = _download(url, archive, report)
    if got != sha256:
        raise ChecksumError(f"{url} has the sha256 {got}, but {sha256} is expected")
    return _unpack(archive, member)


def _download(url: str, archive: Path, report: Report) -> str:
    try:
        return _receive(url, archive, report)
    except HTTPError as error:
        error.close()
        raise DownloadError(f"{url} answers HTTP {error.code}") from None
    except (OSError, HTTPException) as error:
        raise DownloadError(
            f"{url} cannot be downloaded: {getattr(error, 'reason', None) or error}"
        ) from None


def _receive(url: str, archive: Path, report: Report) -> str:
    digest = hashlib.sha256()
    with urlopen(url, timeout=TIMEOUT_SECONDS) as answer, archive.open("wb") as file:  # noqa: S310, checked in fetch
        length = answer.headers["Content-Length"]
        total = int(length) if length else None
        with report.track(f"Downloading {archive.name}", total, "bytes") as advance:
            while chunk := answer.read(CHUNK_BYTES):
                file.write(chunk)
                digest.update(chunk)
                advance(len(chunk))
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
    except (KeyError, tarfile.TarError) as error:
        raise DownloadError(f"{archive.name} holds no {member}: {error}") from None
    return target
