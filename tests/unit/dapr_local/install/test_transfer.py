"""Addresses and transfers; test_download.py has those that break off, stall, redirect or never answer."""

from collections.abc import Iterator

import pytest

from dapr_local.install import transfer
from dapr_local.install.transfer import DownloadError, chunks, is_http, is_private, opened
from tests.unit.dapr_local.fake_release import ReleaseServer, release_server


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ReleaseServer]:
    monkeypatch.setenv("no_proxy", "*")
    with release_server() as running:
        yield running


@pytest.mark.parametrize(
    ("url", "private"),
    [
        ("https://example.org/x", True),
        ("http://127.0.0.1:1/x", True),
        ("http://[::1]/x", True),
        ("http://localhost/x", True),
        ("http://127.0.0.1.example.org/x", False),
        ("http://example.org/x", False),
        ("file:///etc/passwd", False),
    ],
)
def test_an_answer_is_private_over_tls_or_on_this_machine(url: str, private: bool) -> None:
    assert is_private(url) is private


@pytest.mark.parametrize(
    ("url", "http"), [("http://a", True), ("https://a", True), ("ftp://a", False), ("a", False)]
)
def test_other_schemes_are_not_http(url: str, http: bool) -> None:
    assert is_http(url) is http


def test_a_body_arrives_in_pieces(server: ReleaseServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "CHUNK_BYTES", 3)
    server.files["/x"] = b"0123456789"
    with opened(f"{server.url}/x", is_http) as answer:
        pieces = list(chunks(answer, "the file"))
    assert b"".join(pieces) == b"0123456789"
    assert max(map(len, pieces)) <= 3


def test_an_address_that_is_not_accepted_is_never_called(server: ReleaseServer) -> None:
    url = f"{server.url}/x"
    with pytest.raises(DownloadError, match="is not an https address"), opened(url, lambda _: False):
        pytest.fail("it was opened")
