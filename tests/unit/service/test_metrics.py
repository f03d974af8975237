"""The buckets and labels that dashboards rely on."""

from prometheus_client import generate_latest

from dapr_hero.contract.events import Verdict
from dapr_hero.contract.routing import Bulk
from dapr_hero.service import metrics


def test_a_full_batch_has_a_bucket() -> None:
    metrics.BATCH_SIZE.labels("/test").observe(Bulk().max_messages)
    text = generate_latest().decode()
    assert f'dapr_hero_batch_events_bucket{{le="{float(Bulk().max_messages)}",path="/test"}} 1.0' in text


def test_each_verdict_is_a_label() -> None:
    for verdict in Verdict:
        metrics.EVENTS.labels("/test", verdict.value).inc(2)
    text = generate_latest().decode()
    for verdict in Verdict:
        assert f'dapr_hero_events_total{{path="/test",verdict="{verdict.value}"}} 2.0' in text
