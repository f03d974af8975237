"""Spans in the trace of each sender, and the headers that continue it."""

from collections.abc import Iterator

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from dapr_hero.service import tracing
from dapr_hero.settings import Settings

TRACES = ["0af7651916cd43dd8448eb211c80319c", "4bf92f3577b34da6a3ce929d0e0e4736"]


def traceparent(trace_id: str) -> str:
    return f"00-{trace_id}-00f067aa0ba902b7-01"


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    """Report spans to memory for one test; OpenTelemetry keeps its first provider otherwise."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    monkeypatch.setattr(tracing, "_tracer", provider.get_tracer("test"))
    yield exporter
    provider.shutdown()


def test_each_event_of_a_batch_has_a_span_in_the_trace_of_its_sender(spans: InMemorySpanExporter) -> None:
    with tracing.received("/widgets.v1", [traceparent(each) for each in TRACES]):
        pass
    finished = spans.get_finished_spans()
    assert [f"{each.context.trace_id:032x}" for each in finished if each.context] == TRACES
    assert {each.name for each in finished} == {"/widgets.v1"}


def test_calls_continue_the_trace_of_the_first_event(spans: InMemorySpanExporter) -> None:
    with tracing.received("/widgets.v1", [traceparent(each) for each in TRACES]):
        assert TRACES[0] in tracing.outgoing()["traceparent"]
        with tracing.database("UPSERT widgets", "postgresql"):
            pass
    [stored] = [each for each in spans.get_finished_spans() if each.name == "UPSERT widgets"]
    assert stored.context
    assert f"{stored.context.trace_id:032x}" == TRACES[0]


@pytest.mark.parametrize("value", [None, 7, "", "not a traceparent"])
def test_an_event_without_a_valid_trace_starts_one(spans: InMemorySpanExporter, value: object) -> None:
    with tracing.received("/widgets.v1", [value]):
        pass
    [span] = spans.get_finished_spans()
    assert span.parent is None


def test_there_is_no_header_outside_of_a_span() -> None:
    assert tracing.outgoing() == {}


def test_nothing_is_reported_if_tracing_is_off() -> None:
    assert tracing.configure("inventory", Settings(tracing=False)) is None
