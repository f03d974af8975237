"""The broker's memory: it grows while events come in, and shrinks once they have been handled."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from httpx2 import Client

from dapr_hero.contract.mode import Mode
from dapr_hero.local import assembly
from dapr_hero.local.chosen_ports import on_free_ports
from dapr_hero.settings import Settings
from dapr_hero.sidecar import tokens
from dapr_hero.testing import RunningPlatform, eventually, start_platform
from dapr_local.install.runtime import DaprRuntime
from tests.events import event
from tests.platform.broker import broker

EVENTS = 150_000
AT_ONCE = 1_000
ITEMS = 1_000
NODE = 100  # entries that may stay in a stream: the server frees whole nodes
# What 150,000 events take is 76 MiB; this much may be buffers, and what the items themselves take.
GROWTH_MIB = 12


@pytest.fixture(scope="module")
def platform(dapr_runtime: DaprRuntime, data_dir: Path) -> Iterator[RunningPlatform]:
    settings = on_free_ports(dapr_mode=Mode.CUSTOM_GRPC, data_dir=data_dir)
    parts = assembly.ALL - assembly.TRACING
    with start_platform(settings, dapr_runtime, parts=parts, fresh=True) as running:
        yield running


def used_mib(valkey: Any) -> float:
    return float(valkey.info("memory")["used_memory"]) / 2**20


def length(valkey: Any, stream: str) -> int:
    return int(valkey.xlen(stream))


def publish(http: Client, settings: Settings, first: int) -> None:
    """Publish a batch of widgets; see https://docs.dapr.io/reference/api/pubsub_api/."""
    entries = [
        {
            "entryId": str(number),
            "contentType": "application/cloudevents+json",
            "event": event("widget.v1", f"w{number % ITEMS}"),
        }
        for number in range(first, first + AT_ONCE)
    ]
    base = f"http://127.0.0.1:{settings.dapr_http_port}/v1.0-alpha1"
    url = f"{base}/publish/bulk/{settings.pubsub_name}/{settings.pubsub_topic}"
    http.post(url, json=entries, headers=tokens.to_daprd(settings)).raise_for_status()


def unfinished(valkey: Any, settings: Settings) -> int:
    """Return how many events inventory has not acknowledged."""
    [group] = valkey.xinfo_groups(settings.pubsub_topic)
    return int(group["pending"]) + int(group["lag"] or 0)


def test_memory_is_freed_once_events_are_handled(platform: RunningPlatform) -> None:
    settings = platform.settings
    with broker(settings) as valkey, Client(timeout=60, trust_env=False) as http:
        publish(http, settings, 0)
        eventually(lambda: unfinished(valkey, settings) == 0)
        before = peak = used_mib(valkey)
        for first in range(AT_ONCE, AT_ONCE + EVENTS, AT_ONCE):
            publish(http, settings, first)
            peak = max(peak, used_mib(valkey))
        eventually(lambda: unfinished(valkey, settings) == 0, seconds=90)
        eventually(lambda: length(valkey, settings.pubsub_topic) <= NODE)
        after = used_mib(valkey)
    print(f"MiB before, at the peak, after {EVENTS:,} events: {before:.1f}, {peak:.1f}, {after:.1f}")  # noqa: T201
    assert after < before + GROWTH_MIB
