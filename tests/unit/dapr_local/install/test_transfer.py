"""A download asks accepted addresses only, arrives piece by piece, and never waits without an end."""

import pytest

from dapr_local.install import transfer
from dapr_local.install.transfer import BrokenOffError, DownloadError, chunks, is_http, is_private, opened
from dapr_local.ports import free_ports
from tests.unit.dapr_local.fake_release import ReleaseServer

CONTENT = bytes(range(256)) * 8


@pytest.fixture
def server(server: ReleaseServer) -> ReleaseServer:
    server.files["/file"] = CONTENT
    return server


def test_a_body_arrives_in_pieces_of_a_limited_size(
    server: ReleaseServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "CHUNK_BYTES", 1000)
    url = f"{server.url}/file"
    with opened(url, is_private) as answer:
        pieces = list(chunks(answer, url))
    assert b"".join(pieces) == CONTENT
    assert len(pieces) > 2
    assert max(map(len, pieces)) <= 1000
    assert answer.closed


def test_a_body_that_ends_too_early_is_told_and_may_be_tried_again(server: ReleaseServer) -> None:
    server.broken = 1
    url = f"{server.url}/file"
    got: list[bytes] = []
    with opened(url, is_private) as answer, pytest.raises(BrokenOffError) as caught:
        got.extend(chunks(answer, url))
    assert b"".join(got) == CONTENT[:1024]
    assert str(caught.value).startswith(f"{url} broke off after 1024 of 2048 bytes")


def test_an_address_that_is_not_accepted_is_not_asked(server: ReleaseServer) -> None:
    elsewhere = f"{server.url}/elsewhere"
    server.files["/elsewhere"] = CONTENT
    server.redirects["/file"] = elsewhere
    with (
        pytest.raises(DownloadError, match=f"redirects to {elsewhere}, which is not"),
        opened(f"{server.url}/file", lambda url: url != elsewhere),
    ):
        pass
    with pytest.raises(DownloadError, match=f"{elsewhere} is not"), opened(elsewhere, lambda _: False):
        pass
    assert server.asked == ["/file"]
    with opened(f"{server.url}/file", is_private) as answer:
        assert answer.read() == CONTENT


def test_an_answer_without_the_file_is_told_with_its_address(server: ReleaseServer) -> None:
    with pytest.raises(DownloadError, match=f"{server.url}/none answers HTTP 404") as caught:
        opened(f"{server.url}/none", is_private).__enter__()
    assert not isinstance(caught.value, BrokenOffError)
    [port] = free_ports(1)
    with pytest.raises(DownloadError, match=f"127.0.0.1:{port}/ cannot be reached: .*refused"):
        opened(f"http://127.0.0.1:{port}/", is_private).__enter__()


@pytest.mark.parametrize(
    ("url", "private", "http"),
    [
        ("https://example.com/a", True, True),
        ("http://localhost:1/a", True, True),
        ("http://127.9.9.9/a", True, True),
        ("http://[::1]:1/a", True, True),
        ("http://example.com/a", False, True),
        ("http://192.0.2.1/a", False, True),
        ("http://localhost.example.com/a", False, True),
        ("http:///a", False, True),
        ("ftp://127.0.0.1/a", False, False),
        ("file:///a", False, False),
        ("", False, False),
    ],
)
def test_only_https_and_this_machine_are_private(url: str, private: bool, http: bool) -> None:
    assert (is_private(url), is_http(url)) == (private, http)
