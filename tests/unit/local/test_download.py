"""An archive is used only when it arrives whole, is the expected one, and holds the file."""

import hashlib
import io
import socket
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from dapr_hero.local import download
from dapr_hero.local.download import ChecksumError, DownloadError, fetch
from tests.unit.local.fake_release import RecordingReport, ReleaseServer, archive, release_server


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")


@pytest.fixture
def server() -> Iterator[ReleaseServer]:
    with release_server() as running:
        yield running


def fetch_from(server: ReleaseServer, content: bytes, work: Path, sha256: str | None = None) -> Path:
    server.files["/a.tar.gz"] = content
    expected = sha256 or hashlib.sha256(content).hexdigest()
    return fetch(f"{server.url}/a.tar.gz", "daprd", expected, work, RecordingReport())


def fetch_unknown(server: ReleaseServer, content: bytes, work: Path, published: str) -> RecordingReport:
    """Fetch an archive whose checksum is known to its release only."""
    server.files |= {"/a.tar.gz": content, "/a.tar.gz.sha256": published.encode()}
    report = RecordingReport()
    fetch(f"{server.url}/a.tar.gz", "daprd", None, work, report)
    return report


@pytest.mark.parametrize("form", ["{}", "{}\n", "{}  a.tar.gz\n", "{} *a.tar.gz\r\n"])
def test_the_published_checksum_is_used_and_named(form: str, server: ReleaseServer, tmp_path: Path) -> None:
    content = archive("daprd", b"x")
    report = fetch_unknown(server, content, tmp_path, form.format(hashlib.sha256(content).hexdigest()))
    assert report.lines == [f"a.tar.gz matches the checksum published at {server.url}/a.tar.gz.sha256"]
    assert (tmp_path / "daprd").read_bytes() == b"x"


def test_an_archive_that_differs_from_its_published_checksum_is_refused(
    server: ReleaseServer, tmp_path: Path
) -> None:
    with pytest.raises(ChecksumError, match=f"{'0' * 64} is expected"):
        fetch_unknown(server, archive("daprd", b"x"), tmp_path, "0" * 64)
    assert not (tmp_path / "daprd").exists()


@pytest.mark.parametrize("published", ["", "<html>sign in first</html>", "0" * 63, "0" * 65, "g" * 64])
def test_what_is_not_a_checksum_is_refused(published: str, server: ReleaseServer, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match=r"a.tar.gz.sha256 is not a sha256 checksum"):
        fetch_unknown(server, archive("daprd", b"x"), tmp_path, published)
    assert server.asked == ["/a.tar.gz.sha256"]


def test_a_checksum_that_is_not_published_is_asked_for_first(server: ReleaseServer, tmp_path: Path) -> None:
    server.files["/a.tar.gz"] = archive("daprd", b"x")
    with pytest.raises(DownloadError, match=r"a.tar.gz.sha256 answers HTTP 404"):
        fetch(f"{server.url}/a.tar.gz", "daprd", None, tmp_path, RecordingReport())
    assert server.asked == ["/a.tar.gz.sha256"]


def test_a_published_checksum_is_not_trusted_without_tls(tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="is not https"):
        fetch("http://release.invalid/a.tar.gz", "daprd", None, tmp_path, RecordingReport())


def test_a_download_that_crawls_is_given_up(
    server: ReleaseServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "GRACE_SECONDS", 0.0)
    monkeypatch.setattr(download, "MIN_BYTES_PER_SECOND", 1e12)
    with pytest.raises(DownloadError, match="is too slow"):
        fetch_from(server, archive("daprd", b"x" * 1000), tmp_path)


def test_the_file_is_unpacked(server: ReleaseServer, tmp_path: Path) -> None:
    content = b"daprd" * download.CHUNK_BYTES  # more than one chunk
    assert fetch_from(server, archive("daprd", content), tmp_path).read_bytes() == content


def test_another_archive_is_refused_before_it_is_opened(server: ReleaseServer, tmp_path: Path) -> None:
    with pytest.raises(ChecksumError, match=f"a.tar.gz has the sha256 .* {'0' * 64} is expected"):
        fetch_from(server, archive("daprd", b"x"), tmp_path, "0" * 64)
    assert not (tmp_path / "daprd").exists()


def test_a_broken_download_is_not_taken_for_a_wrong_one(server: ReleaseServer, tmp_path: Path) -> None:
    server.cut_off = 10
    with pytest.raises(DownloadError, match=r"broke off after \d+ of \d+ bytes"):
        fetch_from(server, archive("daprd", b"x"), tmp_path)


def test_a_server_that_never_answers_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "TIMEOUT_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"http://127.0.0.1:{mute.getsockname()[1]}/a.tar.gz"
        with pytest.raises(DownloadError, match="timed out"):
            fetch(url, "daprd", "", tmp_path, RecordingReport())


def test_what_is_not_http_is_not_answered(tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="neither http nor https"):
        fetch(f"file://{tmp_path}/a.tar.gz", "daprd", "", tmp_path, RecordingReport())


@pytest.mark.parametrize("member", ["sentry", "../daprd", "/daprd"])
def test_only_the_expected_file_is_taken(member: str, server: ReleaseServer, tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    with pytest.raises(DownloadError, match="holds no daprd"):
        fetch_from(server, archive(member, b"x"), work)
    assert [path.name for path in tmp_path.rglob("*")] == ["work", "a.tar.gz"]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE])
def test_only_a_file_is_taken(kind: bytes, server: ReleaseServer, tmp_path: Path) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        entry = tarfile.TarInfo("daprd")
        entry.type, entry.linkname = kind, "/etc/hostname"
        tar.addfile(entry)
    with pytest.raises(DownloadError, match="daprd"):
        fetch_from(server, packed.getvalue(), tmp_path)
    assert not (tmp_path / "daprd").exists()


def test_what_is_no_archive_is_told(server: ReleaseServer, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="holds no daprd"):
        fetch_from(server, b"<html>sign in first</html>", tmp_path)
