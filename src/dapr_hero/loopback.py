"""Loopback never goes through a proxy, whatever the environment says."""

import os

# Brackets: urllib compares the host of a URL as it is written.
_LOOPBACK = ("localhost", "127.0.0.1", "127.0.0.0/8", "::1", "[::1]")
# gRPC prefers this one, and does not know "*".
_FOR_GRPC = "no_grpc_proxy"


def bypass_proxies() -> None:
    """Except loopback from the proxies of this process's environment.

    urllib and requests read the variables at each call, gRPC for each channel, so call this first.
    """
    excepted = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    os.environ.update({_FOR_GRPC: _with_loopback(os.environ.get(_FOR_GRPC) or excepted)})
    if excepted.strip() != "*":  # which counts only where it stands alone
        os.environ.update(dict.fromkeys(("no_proxy", "NO_PROXY"), _with_loopback(excepted)))


def _with_loopback(hosts: str) -> str:
    named = [host for each in hosts.split(",") if (host := each.strip())]
    return ",".join([*named, *(host for host in _LOOPBACK if host not in named)])
