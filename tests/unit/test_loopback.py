import socket
import threading
from collections.abc import Iterator
from concurrent import futures
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.request import urlopen

import grpc
import pytest
import requests
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from dapr_hero.loopback import bypass_proxies

VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "grpc_proxy")


class Proxy:
    """Counts the connections that come to it, and closes them."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.connections = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:  # closed
                return
            self.connections += 1
            connection.close()

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """A proxy that every variable names; what the test changes in the environment is undone."""
    proxy = Proxy()
    for name in VARIABLES:
        monkeypatch.setenv(name, proxy.url)
        monkeypatch.setenv(name.upper(), proxy.url)
    for name in ("no_proxy", "NO_PROXY", "no_grpc_proxy"):
        monkeypatch.setenv(name, "")
    yield proxy
    proxy.close()


class _Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@pytest.fixture(params=["127.0.0.1", "::1"])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    host: str = request.param

    class Server(HTTPServer):
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET

    with Server((host, 0), _Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://{f'[{host}]' if ':' in host else host}:{server.server_port}/"
        server.shutdown()


@pytest.fixture
def grpc_port() -> Iterator[int]:
    server = grpc.server(futures.ThreadPoolExecutor(1))
    health_pb2_grpc.add_HealthServicer_to_server(health.HealthServicer(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield port
    server.stop(None)


@pytest.mark.parametrize("excepted", ["", "localhost", "example.com, 10.0.0.0/8", "*"])
def test_http_clients_reach_loopback_without_the_proxy(
    proxy: Proxy, url: str, monkeypatch: pytest.MonkeyPatch, excepted: str
) -> None:
    monkeypatch.setenv("no_proxy", excepted)
    bypass_proxies()
    with urlopen(url) as answer:  # noqa: S310
        assert answer.status == 204
    assert requests.get(url, timeout=10).status_code == 204
    assert proxy.connections == 0


@pytest.mark.parametrize(
    ("variable", "excepted"),
    [("no_proxy", ""), ("no_proxy", "localhost"), ("no_proxy", "*"), ("no_grpc_proxy", "example.com")],
)
def test_grpc_reaches_loopback_without_the_proxy(
    proxy: Proxy, grpc_port: int, monkeypatch: pytest.MonkeyPatch, variable: str, excepted: str
) -> None:
    monkeypatch.setenv(variable, excepted)
    bypass_proxies()
    options = (("grpc.use_local_subchannel_pool", 1),)
    with grpc.insecure_channel(f"127.0.0.1:{grpc_port}", options) as channel:
        check = health_pb2_grpc.HealthStub(channel).Check  # type: ignore[attr-defined]
        answer = check(health_pb2.HealthCheckRequest(), timeout=10)
    assert answer.status == health_pb2.HealthCheckResponse.SERVING
    assert proxy.connections == 0


def test_other_hosts_keep_their_proxy(proxy: Proxy) -> None:
    bypass_proxies()
    with pytest.raises(requests.exceptions.ProxyError):
        requests.get("http://example.invalid/", timeout=10)
    assert proxy.connections == 1
