"""The endpoint of the spans, and traces that go on without one."""

import os
import subprocess
import sys

import pytest

from dapr_hero.service import trace_context, tracing

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01"
OTHER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture(autouse=True)
def _not_reporting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "_reporter", None)
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)


def test_calls_go_on_in_the_trace_of_the_first_event() -> None:
    with tracing.events("/widgets.v1", [TRACEPARENT, OTHER]), tracing.query("UPSERT", "widgets"):
        assert trace_context.outgoing() == {"traceparent": TRACEPARENT}
        with tracing.publication("dead letters", OTHER):
            assert trace_context.outgoing() == {"traceparent": OTHER}
        with tracing.call("products.v1.Products/GetProduct", OTHER):
            assert trace_context.outgoing() == {"traceparent": OTHER}
    assert trace_context.outgoing() == {}


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": ""},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_SDK_DISABLED": "True"},
    ],
)
def test_nothing_is_reported_unless_there_is_an_endpoint(
    variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert tracing.report("inventory") is None


@pytest.mark.parametrize("variable", ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"])
def test_spans_are_reported_where_a_variable_names_an_endpoint(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "http://127.0.0.1:1")
    reporter = tracing.report("inventory")
    assert reporter
    with tracing.events("/widgets.v1", [TRACEPARENT.replace("-01", "-00")]):
        assert trace_context.outgoing()["traceparent"].startswith(TRACEPARENT[:36])
    reporter.shut_down()


def test_a_variable_that_cannot_be_used_is_one_error() -> None:
    """Start a service, because OpenTelemetry reads some variables on import."""
    environment = {
        **os.environ,
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1",
        "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "many",
    }
    done = subprocess.run(
        [sys.executable, "-m", "dapr_hero.products"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: a variable of OpenTelemetry (OTEL_…) cannot be used: ")
    assert len(done.stderr.splitlines()) == 1
