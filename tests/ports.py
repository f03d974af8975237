"""Settings for tests, on ports that are free now."""

import socket
from typing import Any

from dapr_hero.settings import Settings, port_fields


def free_settings(**overrides: Any) -> Settings:
    """Settings of the defaults, with every port free and different, and `overrides` on top."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in port_fields()]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return Settings(**{**dict(zip(port_fields(), ports, strict=True)), **overrides})
