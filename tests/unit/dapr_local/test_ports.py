import os
import socket
import sys
import threading
from collections.abc import Iterator

import psutil
import pytest

from dapr_local import ports
from dapr_local.errors import PortTaken
from dapr_local.ports import LOOPBACK, free_ports, reserve


@pytest.fixture
def port() -> int:
    return free_ports(1)[0]


@pytest.fixture(params=[LOOPBACK, "0.0.0.0"])  # noqa: S104
def taken(request: pytest.FixtureRequest, port: int) -> Iterator[int]:
    """A port on which this very process listens."""
    with socket.create_server((request.param, port)):
        yield port


def test_a_taken_port_is_told_with_its_owner_and_the_setting(taken: int) -> None:
    me = f"{psutil.Process().name()} (pid {os.getpid()})"

    with pytest.raises(PortTaken) as caught:
        reserve({"ORDERS_VALKEY_PORT": taken}, "ORDERS_PORT_OFFSET")

    assert (
        str(caught.value)
        == f"port {taken} is taken by {me}: stop that, or set ORDERS_VALKEY_PORT or ORDERS_PORT_OFFSET"
    )


def test_a_port_for_two_is_told_with_both_settings(port: int) -> None:
    with pytest.raises(PortTaken) as caught:
        reserve({"ORDERS_VALKEY_PORT": port, "ORDERS_POSTGRES_PORT": port})

    assert (
        str(caught.value)
        == f"port {port} is taken by ORDERS_VALKEY_PORT: set ORDERS_POSTGRES_PORT to another"
    )


def test_free_ports_can_be_besides_others(monkeypatch: pytest.MonkeyPatch) -> None:
    two = sorted(free_ports(2))
    monkeypatch.setattr(ports, "FREE_RANGE", two)

    assert free_ports(1, besides=two[:1]) == two[1:]


def test_a_taken_port_lets_go_of_the_others(port: int, taken: int) -> None:
    other = free_ports(1)[0]

    with pytest.raises(PortTaken):
        reserve({"A_PORT": other, "B_PORT": taken})

    with socket.socket() as plain:
        plain.bind((LOOPBACK, other))


def test_the_owner_is_left_out_when_the_system_does_not_tell(
    taken: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_kind: str) -> None:
        raise psutil.AccessDenied

    monkeypatch.setattr(psutil, "net_connections", refuse)

    with pytest.raises(PortTaken, match=f"^port {taken} is taken: stop that"):
        reserve({"ORDERS_VALKEY_PORT": taken})


@pytest.mark.skipif(sys.platform != "linux", reason="ports are kept on Linux only")
def test_a_reserved_port_is_for_servers_and_for_nobody_else(port: int) -> None:
    with reserve({"ORDERS_VALKEY_PORT": port}):
        socket.create_server((LOOPBACK, port)).close()
        with socket.socket() as outgoing, pytest.raises(OSError, match="in use"):
            outgoing.bind((LOOPBACK, port))
    with socket.socket() as free_again:
        free_again.bind((LOOPBACK, port))


def test_a_port_can_be_used_again_at_once(port: int) -> None:
    """Connections of the last run linger on it for a minute."""
    with (
        socket.create_server((LOOPBACK, port)) as server,
        socket.create_connection((LOOPBACK, port)) as client,
    ):
        server.accept()[0].close()
        assert client.recv(1) == b""

    reserve({"ORDERS_VALKEY_PORT": port}).close()


def test_an_outgoing_connection_is_waited_for(port: int) -> None:
    """Linux gives such ports as 50001 to connections, for as long as they last."""
    with socket.create_server((LOOPBACK, 0)) as server, socket.socket() as outgoing:
        outgoing.bind((LOOPBACK, port))
        outgoing.connect(server.getsockname())
        # Its own side closes in the other's name, so that no remains are left on the port.
        letting_go = threading.Timer(0.2, server.accept()[0].close)
        closing = threading.Timer(0.4, outgoing.close)
        letting_go.start()
        closing.start()
        reserve({"ORDERS_VALKEY_PORT": port}).close()
        closing.join()


def test_free_ports_are_different_and_out_of_the_way_of_outgoing_connections() -> None:
    ports = free_ports(50)

    assert len(set(ports)) == 50
    assert max(ports) < 32_768
