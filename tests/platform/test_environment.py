"""The platform in the environment and the working directory of another project."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from dapr_hero.contract.mode import Mode
from dapr_hero.local.chosen_ports import on_free_ports
from dapr_hero.local.program import PROGRAM
from dapr_hero.testing import eventually
from dapr_local.install import collector
from dapr_local.install.runtime import DaprRuntime
from dapr_local.parts import zipkin
from dapr_local.progress import ConsoleReport

SCRIPT = Path(sys.executable).with_name("dapr-hero")


class Stranger:
    """Takes connections, closes them, and counts them: a proxy, or a daprd that is not ours."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
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
def stranger() -> Iterator[Stranger]:
    stranger = Stranger()
    yield stranger
    stranger.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A working directory of another project."""
    folder = tmp_path / "project"
    folder.mkdir()
    for module in ("calendar", "typing", "asyncpg", "grpc"):
        (folder / f"{module}.py").write_text("raise RuntimeError('a module of another project')\n")
    (folder / ".env").write_text(
        "LOG_LEVEL=debug\nPOSTGRES_PORT=1\nDATA_DIR=/nowhere\nDAPR_MODE=theirs\nDAPR_HTTP_PORT=1\n"
    )
    return folder


@pytest.fixture
def foreign(stranger: Stranger) -> dict[str, str]:
    """Variables of other programs, each of which has been found to change a part of the platform."""
    url = f"http://{stranger.address}"
    proxies = ("http_proxy", "https_proxy", "all_proxy", "grpc_proxy")
    return {
        **dict.fromkeys([*proxies, *map(str.upper, proxies)], url),
        "no_proxy": "localhost",
        "DAPR_HTTP_ENDPOINT": url,
        "DAPR_GRPC_ENDPOINT": stranger.address,
        "DAPR_RUNTIME_HOST": "192.0.2.1",
        "DAPR_HEALTH_TIMEOUT": "soon",
        "DAPR_API_TIMEOUT_SECONDS": "0.000001",
        "DAPR_API_METHOD_INVOCATION_PROTOCOL": "theirs",
        "DAPR_TRUST_ANCHORS": "theirs",
        "NAMESPACE": "theirs",
        "KUBERNETES_SERVICE_HOST": "192.0.2.1",
        "PGSSLMODE": "require",
        "PGPORT": "1",
        "JAVA_TOOL_OPTIONS": "-Xmx1k",
        "PYTHONWARNINGS": "error",
        "LOG_LEVEL": "debug",
        "TRACING": "perhaps",
    }


@pytest.fixture(autouse=True)
async def _downloaded() -> None:
    """A download goes through the proxy, so it has to be done before."""
    collector.obtain(collector.Sources(PROGRAM), ConsoleReport())
    await zipkin.fetch(PROGRAM.cache, ConsoleReport())


# The others talk to Dapr with what products and the command line use as well.
@pytest.mark.parametrize("mode", [Mode.SDK_HTTP, Mode.SDK_GRPC])
def test_the_platform_runs_in_an_environment_of_another_project(
    mode: Mode,
    stranger: Stranger,
    folder: Path,
    foreign: dict[str, str],
    dapr_runtime: DaprRuntime,
    data_dir: Path,
    tmp_path: Path,
) -> None:
    settings = on_free_ports(
        dapr_mode=mode, data_dir=data_dir, daprd_path=dapr_runtime.daprd, sentry_path=dapr_runtime.sentry
    )
    environment = {**os.environ, **foreign, **settings.environment()}
    output = tmp_path / "output"
    with output.open("w") as file:
        up = subprocess.Popen(
            [SCRIPT, "up"], cwd=folder, env=environment, stdout=file, stderr=subprocess.STDOUT
        )
    try:
        eventually(lambda: "Ctrl-C stops" in output.read_text() or up.poll() is not None, seconds=90)
        assert up.poll() is None, output.read_text()
        for resource in ("widget", "gadget", "thingamajig"):
            published = _hero(folder, environment, "publish", resource, "--id", mode)
            assert published.returncode == 0, published.stderr
            eventually(partial(_is_stored, folder, environment, resource, mode))
    finally:
        up.send_signal(signal.SIGTERM)
        assert up.wait(60) == 0, output.read_text()
    assert stranger.connections == 0


def _is_stored(folder: Path, environment: dict[str, str], resource: str, id: str) -> bool:
    return _hero(folder, environment, "get", resource, id).returncode == 0


def _hero(folder: Path, environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [SCRIPT, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
