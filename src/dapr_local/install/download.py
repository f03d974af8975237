"""Downloads a program in a published archive, and uses it only if the archive matches its checksum."""

import gzip
import hashlib
import re
import shutil
import tarfile
import zlib
from pathlib import Path

from dapr_local.install.transfer import BrokenOffError, DownloadError, chunks, is_http, is_private, opened
from dapr_local.progress import Report

__all__ = ["ChecksumError", "DownloadError", "fetch"]

CHECKSUM_FILE = ".sha256"  # appended to the name of the archive
_CHECKSUM_LINE = re.compile(rb"([0-9a-fA-F]{64})(?:[ \t]+\*?(\S+))?\s*")
_LONGEST_CHECKSUM_FILE = 1024
_LONGEST_LISTING = 16384


class ChecksumError(Exception):
    """The archive does not match its checksum."""


def fetch(
    url: str, member: str, pinned: str | None, work: Path, report: Report, listing: str | None = None
) -> Path:
    """Download and verify the tar.gz at `url`, and return the path of its `member`, unpacked into `work`.

    `pinned` is the sha256 that it must have. Without one, the checksum file next to the archive decides: its own,
    or the `listing` of all archives in the same folder. Both must then arrive unchanged, so that only https, or a
    server on this machine, will do.

    Raises: DownloadError when it cannot be had; ChecksumError when it does not match; OSError of the folder.
    """
    folder, _, name = url.rpartition("/")
    checksums = f"{folder}/{listing}" if listing else url + CHECKSUM_FILE
    expected = pinned or (_listed if listing else _published)(checksums, name)
    archive = work / name
    got = _download(url, archive, report, pinned is not None)
    source = "pinned in this version of dapr-hero" if pinned else f"published at {checksums}"
    if got != expected:
        raise ChecksumError(f"{url} has the sha256 {got}, but {expected} is expected, {source}")
    report.say(f"{archive.name} has the sha256 {source}")
    return _unpack(archive, member)


def _published(address: str, name: str) -> str:
    """Return the checksum in a file that has only that one, with or without the name of the archive."""
    found = _CHECKSUM_LINE.fullmatch(_read(address, name, _LONGEST_CHECKSUM_FILE))
    if not found or found[2] not in (None, name.encode()):
        raise _not_the_checksum(address, name)
    return found[1].decode().lower()


def _listed(address: str, name: str) -> str:
    """Return the checksum in the only line with the name of the archive."""
    lines = _read(address, name, _LONGEST_LISTING).splitlines()
    found = [_CHECKSUM_LINE.fullmatch(line) for line in lines]
    sums = [each[1] for each in found if each and each[2] == name.encode()]
    if len(sums) != 1 or not all(found):
        raise _not_the_checksum(address, name)
    return sums[0].decode().lower()


def _read(address: str, name: str, longest: int) -> bytes:
    text = b""
    with opened(address, is_private) as answer:
        for chunk in chunks(answer, address):
            text += chunk
            if len(text) > longest:
                raise _not_the_checksum(address, name)
    return text


def _not_the_checksum(address: str, name: str) -> DownloadError:
    return DownloadError(f"{address} is not the checksum of {name}")


def _download(url: str, archive: Path, report: Report, is_pinned: bool) -> str:
    try:
        return _receive(url, archive, report, is_pinned)
    except BrokenOffError as error:
        report.say(f"{error}; trying once more")
        return _receive(url, archive, report, is_pinned)


def _receive(url: str, archive: Path, report: Report, is_pinned: bool) -> str:
    digest = hashlib.sha256()
    with (
        opened(url, is_http if is_pinned else is_private) as answer,
        archive.open("wb") as file,
        report.track(f"Downloading {archive.name}", answer.length, "bytes") as advance,
    ):
        for chunk in chunks(answer, url):
            file.write(chunk)
            digest.update(chunk)
            advance(len(chunk))
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
    except (KeyError, EOFError, gzip.BadGzipFile, tarfile.TarError, zlib.error) as error:
        raise DownloadError(f"{archive.name} holds no whole {member}: {error}") from None
    return target
