from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from dapr_hero.contract.events import Verdict
from dapr_hero.modes.shared.unknown_path import retry_unknown_path


def test_every_event_is_retried_logged_once_and_counted() -> None:
    def counted() -> float:
        labels = {"path": "unknown", "verdict": "retry"}
        return REGISTRY.get_sample_value("dapr_hero_events_total", labels) or 0.0

    before = counted()
    with capture_logs() as lines:
        outcomes = retry_unknown_path("/laters.v1", 3)

    assert [outcome.verdict for outcome in outcomes] == [Verdict.RETRY] * 3
    assert [(line["path"], line["count"]) for line in lines] == [("/laters.v1", 3)]
    assert counted() - before == 3
