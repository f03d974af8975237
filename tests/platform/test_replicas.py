"""Two inventories that share the events; one after the other is replaced without a lost event or read."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import httpx2 as httpx
import pytest

from dapr_hero.contract.mode import Mode
from dapr_hero.local import assembly
from dapr_hero.local.chosen_ports import on_free_ports, replica_on_free_ports
from dapr_hero.settings import Settings
from dapr_hero.sidecar import tokens
from dapr_hero.testing import RunningPlatform, eventually, start_platform
from dapr_local.install.runtime import DaprRuntime
from tests.load import Load, differences, streaming

NAMES = ["inventory", "inventory-2"]


@pytest.fixture(scope="module")
def platform(dapr_runtime: DaprRuntime, data_dir: Path) -> Iterator[RunningPlatform]:
    settings = on_free_ports(dapr_mode=Mode.CUSTOM_GRPC, data_dir=data_dir)
    replica = replica_on_free_ports(settings)
    options = {"parts": assembly.ALL - assembly.TRACING, "replicas": [replica], "fresh": True}
    with start_platform(settings, dapr_runtime, **options) as running:
        yield running


class Balancer:
    """Stands for a Service of Kubernetes: reads from those that say they are ready; notes what went wrong."""

    def __init__(self, inventories: list[Settings]) -> None:
        self._urls = [f"http://127.0.0.1:{each.inventory_port}" for each in inventories]
        self._ready = list(self._urls)
        self._ended = threading.Event()
        self.reads = 0
        self.errors: list[str] = []

    @contextmanager
    def reading(self) -> Iterator[None]:
        threads = [threading.Thread(target=self._probe), threading.Thread(target=self._read)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._ended.set()
            for thread in threads:
                thread.join()

    def _probe(self) -> None:
        with httpx.Client(timeout=5) as http:
            while not self._ended.wait(0.1):
                self._ready = [url for url in self._urls if _is_ready(http, url)]

    def _read(self) -> None:
        with httpx.Client(timeout=5) as http:
            while not self._ended.wait(0.002):
                for url in self._ready:
                    self._read_from(http, url)

    def _read_from(self, http: httpx.Client, url: str) -> None:
        self.reads += 1
        try:
            answer = http.get(f"{url}/v1/widgets/rolling-1")
        except httpx.HTTPError as error:
            self.errors.append(repr(error))
        else:
            if answer.status_code not in (200, 404):
                self.errors.append(f"{answer.status_code} {answer.text}")


def _is_ready(http: httpx.Client, url: str) -> bool:
    try:
        return http.get(f"{url}/readyz").status_code == 200
    except httpx.HTTPError:
        return False


def _handled(inventory: Settings) -> bool:
    """Return whether this replica has stored events."""
    text = httpx.get(f"http://127.0.0.1:{inventory.inventory_port}/metrics").text
    return 'dapr_hero_events_total{path="/widgets.v1",verdict="stored"}' in text


def test_a_rolling_restart_under_load_loses_nothing_and_serves_every_read(platform: RunningPlatform) -> None:
    sidecars = [each.dapr_http_port for each in platform.inventories]
    balancer = Balancer(platform.inventories)
    load = Load(seed=2, rate=200, prefix="rolling")
    with streaming(sidecars, platform.settings, load) as ledger, balancer.reading():
        for inventory in platform.inventories:
            eventually(partial(_handled, inventory))
        for name in NAMES:
            platform.stop(name)
            platform.stop(f"{name}-daprd")
            platform.start(name, f"{name}-daprd")
        for inventory in platform.inventories:
            eventually(partial(_handled, inventory))
    assert balancer.reads > 100
    assert balancer.errors == []
    # What a sidecar had fetched when it was stopped is found again after the processingTimeout.
    eventually(lambda: not differences(platform.settings, ledger.newest), seconds=60)
    url = f"http://127.0.0.1:{platform.settings.dead_letters_port}/v1/dead-letters"
    letters = httpx.get(url, headers=tokens.to_daprd(platform.settings))
    assert letters.json()["total"] == 0
