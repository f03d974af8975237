"""Bytes on the sockets of the events' side: no server falls over, whoever speaks to it in whatever tongue."""

import socket
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dapr_hero.contract.mode import Mode
from dapr_hero.local.chosen_ports import on_free_ports
from tests.fuzz.host import DEADLINE_SECONDS, Host, Listening
from tests.fuzz.profiles import PROFILE
from tests.fuzz.tally import Count

_line = st.binary(max_size=20) | st.sampled_from(
    [
        *(b"POST /widgets.v1 HTTP/1.1", b"GET /%00%ff?\xff HTTP/1.1", b"PRI * HTTP/2.0", b"host: x"),
        b"\0: \0",
        *(b"content-length: 5", b"content-length: -1", b"content-length: 9999999999999999999999"),
        *(
            b"transfer-encoding: chunked",
            b"expect: 100-continue",
            b"upgrade: websocket",
            b"FFFFFFFFFFFFFFFFF",
        ),
        *(b"content-type: application/json", b"connection: upgrade", b"a: " + b"b" * 5_000, b"{}", b"0"),
    ]
)
_requests = st.lists(_line, max_size=6).map(b"\r\n".join)
_frames = st.lists(
    st.builds(
        lambda payload, kind, flags, stream: (
            len(payload).to_bytes(3) + bytes([kind, flags]) + stream.to_bytes(4) + payload
        ),
        st.binary(max_size=24),
        st.integers(0, 12),
        st.integers(0, 255),
        st.sampled_from([0, 1, 2, 3, 2**31 - 1, 2**32 - 1]),
    ),
    max_size=5,
).map(lambda frames: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"".join(frames))


@pytest.fixture(scope="module", params=list(Mode), ids=lambda mode: mode.value)
def listening(request: pytest.FixtureRequest, host: Host) -> Iterator[Listening]:
    with host.listening(on_free_ports(dapr_mode=request.param)) as listening:
        yield listening


@given(_requests | _frames | st.binary(max_size=200))
@PROFILE
def test_anything(listening: Listening, count: Count, sent: bytes) -> None:
    with _connected(listening) as connection:
        answer = _exchanged(connection, sent)
    assert not answer.startswith((b"HTTP/1.1 5", b"HTTP/1.0 5"))
    count.add("accepted" if answer.startswith(b"HTTP/1.1 2") else "rejected")
    _connected(listening).close()


def _connected(listening: Listening) -> socket.socket:
    return socket.create_connection(("127.0.0.1", listening.settings.callback_port), DEADLINE_SECONDS)


def _exchanged(connection: socket.socket, sent: bytes) -> bytes:
    """All that comes back until the server hangs up. Raises: TimeoutError."""
    answer = b""
    try:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        while chunk := connection.recv(65536):
            answer += chunk
    except TimeoutError:
        raise
    except OSError:
        pass  # It has hung up on us already.
    return answer
