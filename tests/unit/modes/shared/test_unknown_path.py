"""Events on a path without a handler are retried, logged and counted."""

from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from dapr_hero.contract.events import Verdict
from dapr_hero.modes.shared.unknown_path import retry_unknown_path


def counted() -> float:
    labels = {"path": "unknown", "verdict": "retry"}
    return REGISTRY.get_sample_value("dapr_hero_events_total", labels) or 0.0


def test_an_unknown_path_is_retried() -> None:
    outcomes = retry_unknown_path("/future.v1", 3)
    assert [(each.verdict, each.reason) for each in outcomes] == [
        (Verdict.RETRY, "no handler for this path")
    ] * 3
    assert retry_unknown_path("/future.v1", 0) == []


def test_the_events_are_counted_under_one_label_whatever_their_path() -> None:
    before = counted()
    retry_unknown_path("/future.v1", 2)
    retry_unknown_path("/later.v1", 1)
    assert counted() == before + 3


def test_the_path_is_logged_as_an_error() -> None:
    with capture_logs() as logged:
        retry_unknown_path("/future.v1", 2)
    [line] = logged
    assert (line["log_level"], line["path"], line["count"]) == ("error", "/future.v1", 2)
