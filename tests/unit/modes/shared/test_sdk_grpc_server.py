import socket

import pytest
from dapr.ext.grpc import App

from dapr_hero.modes.shared.sdk_grpc_server import SdkGrpcServer
from dapr_hero.service.servers import PortInUse
from dapr_local.ports import LOOPBACK, free_ports


async def test_it_listens_on_loopback_from_start_to_stop() -> None:
    [port] = free_ports(1)
    server = SdkGrpcServer(App(), port)
    await server.start()
    socket.create_connection((LOOPBACK, port), timeout=5).close()

    await server.stop()

    with pytest.raises(OSError, match="refused"):
        socket.create_connection((LOOPBACK, port), timeout=5)


async def test_a_taken_port_is_an_error_at_once() -> None:
    with socket.create_server((LOOPBACK, 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(PortInUse, match=f":{port}: Address already in use"):
            await SdkGrpcServer(App(), port).start()
