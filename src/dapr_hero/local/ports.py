"""Ports: which are taken and by whom, which are free, and how to keep them until a part listens."""

import random
import socket
import sys
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from typing import Any

import psutil

from dapr_hero.local.errors import PortTaken
from dapr_hero.settings import Settings, port_fields

LOOPBACK = "127.0.0.1"
# Below what systems hand out to outgoing connections, so that none of these takes a port meanwhile.
_FREE_RANGE = range(10_000, 32_000)


def reserve(ports: Mapping[str, int]) -> ExitStack:
    """Make sure that all ports, by their setting's key, are free, and keep them so until the stack is closed.

    On Linux they stay bound, without listening: servers of ours can still listen there, as these ask for the
    reuse of addresses, while no outgoing connection gets one of them as its own.
    Raises: PortTaken, which names the port, its owner where known, and the setting to change.
    """
    with ExitStack() as stack:
        for key, port in ports.items():
            bound = _bind(port)
            if bound is None:
                raise PortTaken(f"port {port} is taken{_owner(port)}: stop that, or set {key} or PORT_OFFSET")
            if sys.platform == "linux":
                stack.enter_context(bound)
            else:
                bound.close()
        return stack.pop_all()


def free_ports(count: int) -> list[int]:
    """That many different ports on which nothing listens, as of now."""
    found: set[int] = set()
    while len(found) < count:
        port = random.choice(_FREE_RANGE)  # noqa: S311
        bound = _bind(port)
        if bound is not None:
            bound.close()
            found.add(port)
    return list(found)


def on_free_ports(**overrides: Any) -> Settings:
    """Settings whose ports are all free, apart from the overrides; for tests and for a second platform."""
    names = port_fields()
    return Settings(**{**dict(zip(names, free_ports(len(names)), strict=True)), **overrides})


def _bind(port: int) -> socket.socket | None:
    """A socket bound to the port, or None when it is taken."""
    if sys.platform != "linux":
        # macOS lets us bind beside somebody who listens on all addresses.
        with suppress(OSError), socket.create_connection((LOOPBACK, port), timeout=1):
            return None
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    # Connections of an earlier run that linger on the port do not count.
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((LOOPBACK, port))
    except OSError:
        bound.close()
        return None
    return bound


def _owner(port: int) -> str:
    """Who has the port, to go behind "is taken"; nothing when the system does not tell."""
    try:
        pids = [c.pid for c in psutil.net_connections("tcp") if c.laddr and c.laddr.port == port and c.pid]
        if not pids:
            return ""
        return f" by {psutil.Process(pids[0]).name()} (pid {pids[0]})"
    except psutil.Error:
        return ""
