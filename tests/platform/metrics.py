"""Prometheus metrics of the app and of daprd, as numbers."""

import httpx2 as httpx
from prometheus_client.parser import text_string_to_metric_families

from dapr_hero.testing import RunningPlatform


def of_app(platform: RunningPlatform, name: str, **labels: str) -> float:
    """The sum of all samples of inventory with these labels."""
    return _sum(platform.get("/metrics").text, name, labels)


def of_sidecar(platform: RunningPlatform, name: str, **labels: str) -> float:
    """The same of inventory's daprd."""
    url = f"http://127.0.0.1:{platform.settings.inventory_dapr_metrics_port}/"
    return _sum(httpx.get(url).text, name, labels)


def _sum(text: str, name: str, labels: dict[str, str]) -> float:
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return sum(
        sample.value for sample in samples if sample.name == name and sample.labels.items() >= labels.items()
    )
