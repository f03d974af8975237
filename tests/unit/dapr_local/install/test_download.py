"""An archive is used only when it arrives whole, matches its checksum, and holds the file."""

import hashlib
import io
import random
import re
import socket
import tarfile
import threading
from pathlib import Path

import pytest

from dapr_local.install import transfer
from dapr_local.install.download import ChecksumError, DownloadError, fetch
from tests.unit.dapr_local.fake_release import (
    CERTIFICATE,
    RecordingReport,
    ReleaseServer,
    archive,
    release_server,
)

GOOD = archive("daprd", b"the program")
LARGE = archive("daprd", random.Random(1).randbytes(100_000))  # noqa: S311
NAME = "daprd_any.tar.gz"
CHECKSUM = f"/{NAME}.sha256"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def publish(server: ReleaseServer, content: bytes = GOOD, checksum: str | None = None) -> None:
    server.files[f"/{NAME}"] = content
    server.files[CHECKSUM] = (checksum or f"{sha256(content)}  {NAME}\n").encode()


def fetched(
    server: ReleaseServer, work: Path, report: RecordingReport | None = None, pinned: str | None = None
) -> bytes:
    return fetch(f"{server.url}/{NAME}", "daprd", pinned, work, report or RecordingReport()).read_bytes()


def test_an_archive_of_many_pieces_is_unpacked(
    server: ReleaseServer, tmp_path: Path, report: RecordingReport
) -> None:
    content = b"daprd" * transfer.CHUNK_BYTES
    packed = archive("daprd", content)
    publish(server, packed)
    assert fetched(server, tmp_path, report) == content
    assert report.tracked == {f"Downloading {NAME}": (len(packed), len(packed))}


def test_the_published_checksum_is_used_and_named(
    server: ReleaseServer, tmp_path: Path, report: RecordingReport
) -> None:
    publish(server)
    assert fetched(server, tmp_path, report) == b"the program"
    assert report.lines == [f"{NAME} has the sha256 published at {server.url}{CHECKSUM}"]


def test_a_pinned_checksum_is_used_and_named(
    server: ReleaseServer, tmp_path: Path, report: RecordingReport
) -> None:
    publish(server, checksum="0" * 64)
    assert fetched(server, tmp_path, report, pinned=sha256(GOOD)) == b"the program"
    assert report.lines == [f"{NAME} has the sha256 pinned in this version of dapr-hero"]
    assert CHECKSUM not in server.asked


@pytest.mark.parametrize(
    "text",
    [
        sha256(GOOD),
        f"{sha256(GOOD)}\r\n",
        f"{sha256(GOOD).upper()}  {NAME}\n",
        f"{sha256(GOOD)} *{NAME}\n",
    ],
)
def test_each_usual_form_of_a_checksum_file_is_read(text: str, server: ReleaseServer, tmp_path: Path) -> None:
    publish(server, checksum=text)
    assert fetched(server, tmp_path) == b"the program"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<html>sign in first</html>",
        sha256(GOOD)[:-1],
        f"{sha256(GOOD)}  sentry_any.tar.gz\n",
        f"{sha256(GOOD)}  {NAME}\n" * 2,
        f"{sha256(GOOD)}{' ' * 5000}",
    ],
)
def test_a_file_that_is_not_the_checksum_is_refused(text: str, server: ReleaseServer, tmp_path: Path) -> None:
    publish(server)
    server.files[CHECKSUM] = text.encode()
    with pytest.raises(DownloadError, match=re.escape(f"{CHECKSUM} is not the checksum of {NAME}")):
        fetched(server, tmp_path)
    assert server.asked == [CHECKSUM]


@pytest.mark.parametrize("pinned", ["0" * 64, None])
def test_another_archive_is_refused_before_it_is_opened(
    pinned: str | None, server: ReleaseServer, tmp_path: Path, report: RecordingReport
) -> None:
    publish(server, checksum="0" * 64)
    with pytest.raises(
        ChecksumError, match=f"{sha256(GOOD)}, but {'0' * 64} is expected, (pinned|published)"
    ):
        fetched(server, tmp_path, report, pinned)
    assert not (tmp_path / "daprd").exists()
    assert report.lines == []


def test_a_transfer_that_breaks_off_is_tried_once_more(
    server: ReleaseServer, tmp_path: Path, report: RecordingReport
) -> None:
    publish(server)
    server.broken = 1
    assert fetched(server, tmp_path, report, sha256(GOOD)) == b"the program"
    assert re.search(rf"broke off after \d+ of {len(GOOD)} bytes; trying once more", report.lines[0])


def test_a_truncated_download_is_not_taken_for_a_wrong_one(server: ReleaseServer, tmp_path: Path) -> None:
    publish(server)
    server.broken = 2
    with pytest.raises(DownloadError, match=rf"broke off after \d+ of {len(GOOD)} bytes"):
        fetched(server, tmp_path, pinned=sha256(GOOD))


@pytest.mark.parametrize("pinned", ["0" * 64, None])
def test_a_silent_transfer_is_given_up(
    pinned: str | None, server: ReleaseServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "CONNECT_SECONDS", 1.0)
    publish(server)
    server.stalls = True
    with pytest.raises(DownloadError, match=r"broke off after \d+ of \d+ bytes: timed out"):
        fetched(server, tmp_path, pinned=pinned)


def test_a_transfer_that_is_far_too_slow_is_given_up(
    server: ReleaseServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "SLOW_SECONDS", 0.0)
    publish(server)
    with pytest.raises(DownloadError, match=r"stalled after \d+ of \d+ bytes"):
        fetched(server, tmp_path, pinned=sha256(GOOD))


def test_a_server_that_never_answers_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "CONNECT_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"http://127.0.0.1:{mute.getsockname()[1]}/{NAME}"
        with pytest.raises(DownloadError, match="cannot be reached: timed out"):
            fetch(url, "daprd", None, tmp_path, RecordingReport())


def test_a_name_server_that_never_answers_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered = threading.Event()

    def resolve(*_: object, **__: object) -> None:
        answered.wait()
        raise socket.gaierror("no such host")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(transfer, "ANSWER_SECONDS", 0.05)
    try:
        with pytest.raises(DownloadError, match=r"cannot be reached: no answer within 0\.05 s"):
            fetch(f"https://releases.example/{NAME}", "daprd", None, tmp_path, RecordingReport())
    finally:
        answered.set()


@pytest.mark.parametrize("status", [403, 404, 500, 503])
@pytest.mark.parametrize("path", [f"/{NAME}", CHECKSUM])
def test_an_error_is_told_with_its_address(
    path: str, status: int, server: ReleaseServer, tmp_path: Path
) -> None:
    publish(server)
    server.statuses[path] = status
    with pytest.raises(DownloadError, match=re.escape(f"{path} answers HTTP {status}")):
        fetched(server, tmp_path)


def test_a_redirect_is_followed(server: ReleaseServer, tmp_path: Path) -> None:
    publish(server)
    for path in (f"/{NAME}", CHECKSUM):
        server.files[f"/elsewhere{path}"] = server.files.pop(path)
        server.redirects[path] = f"{server.url}/elsewhere{path}"
    assert fetched(server, tmp_path) == b"the program"


def test_a_redirect_in_a_circle_is_given_up(server: ReleaseServer, tmp_path: Path) -> None:
    server.redirects[CHECKSUM] = CHECKSUM
    with pytest.raises(DownloadError, match="answers HTTP 302"):
        fetched(server, tmp_path)


@pytest.mark.parametrize("path", [f"/{NAME}", CHECKSUM])
def test_a_redirect_never_leads_out_of_tls(path: str, server: ReleaseServer, tmp_path: Path) -> None:
    publish(server)
    server.redirects[path] = f"http://mirror.example{path}"
    with pytest.raises(DownloadError, match=r"redirects to http://mirror\.example.* not an https address"):
        fetched(server, tmp_path)


@pytest.mark.parametrize("pinned", [sha256(GOOD), None])
def test_a_redirect_never_leads_to_a_file(pinned: str | None, server: ReleaseServer, tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(GOOD)
    publish(server)
    server.redirects[f"/{NAME}"] = f"file://{tmp_path}/{NAME}"
    with pytest.raises(DownloadError, match="answers HTTP 302"):
        fetched(server, tmp_path, pinned=pinned)


@pytest.mark.parametrize(
    "url",
    ["http://mirror.example", "http://127.0.0.1.example", "http://192.0.2.1", "ftp://127.0.0.1", "", "x y"],
)
def test_without_a_pinned_checksum_only_https_will_do(url: str, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="is not an https address"):
        fetch(f"{url}/{NAME}", "daprd", None, tmp_path, RecordingReport())


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:99999", "http://[::1", "https://a b", "http://127.0.0.1:x"]
)
def test_an_address_that_is_none_is_told(url: str, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="cannot be reached"):
        fetch(f"{url}/{NAME}", "daprd", "0" * 64, tmp_path, RecordingReport())


def test_a_pinned_checksum_makes_up_for_plain_http() -> None:
    assert transfer.is_http("http://mirror.example/a")
    assert not transfer.is_private("http://mirror.example/a")
    assert not transfer.is_http("file:///a")


@pytest.mark.parametrize("url", ["http://localhost:1/", "http://127.1.2.3/", "http://[::1]:1/", "https://a/"])
def test_https_and_this_machine_are_private(url: str) -> None:
    assert transfer.is_private(url)


def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    with release_server(CERTIFICATE) as server:
        publish(server)
        with pytest.raises(DownloadError, match="certificate verify failed"):
            fetched(server, tmp_path)
        assert server.asked == []


def test_tls_is_spoken_with_a_server_that_is_vouched_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    with release_server(CERTIFICATE) as server:
        publish(server)
        assert fetched(server, tmp_path) == b"the program"


@pytest.mark.parametrize("member", ["sentry", "../daprd", "/daprd"])
def test_only_the_expected_file_is_taken(member: str, server: ReleaseServer, tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    publish(server, archive(member, b"x"))
    with pytest.raises(DownloadError, match="holds no whole daprd"):
        fetched(server, work)
    assert [path.name for path in tmp_path.rglob("*")] == ["work", NAME]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE])
def test_only_a_file_is_taken(kind: bytes, server: ReleaseServer, tmp_path: Path) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        entry = tarfile.TarInfo("daprd")
        entry.type, entry.linkname = kind, "/etc/hostname"
        tar.addfile(entry)
    publish(server, packed.getvalue())
    with pytest.raises(DownloadError, match="daprd"):
        fetched(server, tmp_path)
    assert not (tmp_path / "daprd").exists()


@pytest.mark.parametrize(
    "content",
    [b"", b"<html>sign in first</html>", LARGE[:100], LARGE[:50_000], LARGE[:50_000] + b"x" * 50_000],
    ids=["empty", "html", "header", "half", "damaged"],
)
def test_a_file_that_is_not_a_whole_archive_is_told(
    content: bytes, server: ReleaseServer, tmp_path: Path
) -> None:
    publish(server, content)
    with pytest.raises(DownloadError, match="holds no whole daprd"):
        fetched(server, tmp_path)


def test_a_folder_that_cannot_be_written_is_not_the_fault_of_the_release(
    server: ReleaseServer, tmp_path: Path
) -> None:
    publish(server)
    with pytest.raises(FileNotFoundError):
        fetched(server, tmp_path / "absent")
