"""Ports: finds free ones, names the owner of a taken one, and keeps them until a part listens."""

import random
import socket
import sys
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack, suppress
from typing import Any

import psutil

from dapr_local.errors import PortTaken

LOOPBACK = "127.0.0.1"
# Below the ports of outgoing connections, so that none of these takes a port in the meantime.
FREE_RANGE: Sequence[int] = range(10_000, 32_000)
_PASSING_SECONDS = 5.0


def reserve(ports: Mapping[str, int], offset_variable: str = "") -> ExitStack:
    """Make sure that all ports, by the variable that sets each, are free; keep them so until the stack closes.

    On Linux they stay bound, without listening: our servers can still listen there, as they ask for the
    reuse of addresses, while no outgoing connection gets one of them as its own.
    `offset_variable` is the variable that moves them all.
    Raises: PortTaken, which names the port, its owner where known, and the variables to change.
    """
    _refuse_twice(ports)
    with ExitStack() as stack:
        for key, port in ports.items():
            bound = _bind(port) or _bind_after_others(port)
            if bound is None:
                variables = " or ".join(filter(None, [key, offset_variable]))
                raise PortTaken(port, f"{_owner(port)}: stop that, or set {variables}")
            if sys.platform == "linux":
                stack.enter_context(bound)
            else:
                bound.close()
        return stack.pop_all()


def _refuse_twice(ports: Mapping[str, int]) -> None:
    """Our own hold on a port would not show that two parts are to listen there."""
    keys: dict[int, str] = {}
    for key, port in ports.items():
        if port in keys:
            raise PortTaken(port, f" by {keys[port]}: set {key} to another")
        keys[port] = key


def free_ports(count: int, besides: Collection[int] = ()) -> list[int]:
    """Return that many different ports on which nothing listens now, none of them among `besides`."""
    found: set[int] = set()
    while len(found) < count:
        port = random.choice(FREE_RANGE)  # noqa: S311
        bound = None if port in besides else _bind(port)
        if bound is not None:
            bound.close()
            found.add(port)
    return list(found)


def _bind(port: int) -> socket.socket | None:
    """Return a socket bound to the port, or None if the port is taken."""
    if sys.platform != "linux":
        # On macOS a bind succeeds although a server listens on all addresses.
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


def _bind_after_others(port: int) -> socket.socket | None:
    """Return a socket once an outgoing connection has released the port; None if a server has it."""
    deadline = time.monotonic() + _PASSING_SECONDS
    while not _has_listener(port) and time.monotonic() < deadline:
        time.sleep(0.05)
        if bound := _bind(port):
            return bound
    return None


def _owner(port: int) -> str:
    """Return the owner of the port, to follow "is taken"; "" when the system does not tell."""
    try:
        pids = [each.pid for each in _connections(port) if each.pid]
        return f" by {psutil.Process(pids[0]).name()} (pid {pids[0]})" if pids else ""
    except psutil.Error:
        return ""


def _has_listener(port: int) -> bool:
    """Return whether a server is on the port, or might be."""
    try:
        return any(each.status == psutil.CONN_LISTEN for each in _connections(port))
    except psutil.Error:
        return True


def _connections(port: int) -> list[Any]:
    return [each for each in psutil.net_connections("tcp") if each.laddr and each.laddr.port == port]
