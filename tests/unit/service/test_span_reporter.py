"""The spans that a receiver of OTLP gets, by the order of events in the batch."""

from collections.abc import Iterator

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from dapr_hero.service import trace_context
from dapr_hero.service.span_reporter import SpanReporter
from tests.unit.service.otlp_server import OtlpServer, otlp_server

TRACES = ["0af7651916cd43dd8448eb211c80319c", "4bf92f3577b34da6a3ce929d0e0e4736", f"{7:032x}"]
SENDER = "00f067aa0ba902b7"


def traceparent(trace_id: str, flags: str = "01") -> str:
    return f"00-{trace_id}-{SENDER}-{flags}"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[OtlpServer]:
    with otlp_server() as server:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", server.endpoint)
        yield server


def reported(server: OtlpServer, traceparents: list[object]) -> list[Span]:
    """Return the spans of a batch of these events, with one query inside."""
    reporter = SpanReporter("inventory")
    with reporter.events("/widgets.v1", traceparents), reporter.query("UPSERT", "widgets"):
        pass
    reporter.shut_down()
    return server.spans


def test_each_event_of_a_batch_has_a_span_in_the_trace_of_its_sender(server: OtlpServer) -> None:
    spans = reported(server, [traceparent(each) for each in TRACES])

    processed = [span for span in spans if span.name == "process /widgets.v1"]
    assert [span.trace_id.hex() for span in processed] == TRACES
    assert {span.parent_span_id.hex() for span in processed} == {SENDER}
    assert {span.kind for span in processed} == {Span.SPAN_KIND_CONSUMER}
    assert len({span.span_id for span in processed}) == len(TRACES)
    assert len({(span.start_time_unix_nano, span.end_time_unix_nano) for span in processed}) == 1


def test_the_store_is_called_in_the_first_trace_to_which_the_others_are_linked(server: OtlpServer) -> None:
    spans = reported(server, [traceparent(each) for each in TRACES])

    [leader, *others] = [span for span in spans if span.name == "process /widgets.v1"]
    [query] = [span for span in spans if span.name == "UPSERT widgets"]
    assert (query.trace_id, query.parent_span_id) == (leader.trace_id, leader.span_id)
    assert not leader.links
    links = [(link.trace_id, link.span_id) for span in others for link in span.links]
    assert links == [(leader.trace_id, leader.span_id)] * 2


def test_an_event_that_is_not_sampled_has_no_span_and_does_not_lead(server: OtlpServer) -> None:
    spans = reported(server, [traceparent(TRACES[0], "00"), *map(traceparent, TRACES[1:])])

    assert {span.trace_id.hex() for span in spans} == set(TRACES[1:])
    assert "UPSERT widgets" in {span.name for span in spans if span.trace_id.hex() == TRACES[1]}


def test_nothing_is_reported_of_a_batch_without_sampled_events(server: OtlpServer) -> None:
    assert reported(server, [traceparent(each, "00") for each in TRACES]) == []


def test_no_sampler_of_the_environment_is_overruled(
    server: OtlpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")

    assert reported(server, [traceparent(each) for each in TRACES]) == []


@pytest.mark.parametrize("value", [None, 7, "", "not a traceparent", f"00-{0:032x}-{SENDER}-01"])
def test_an_event_without_a_valid_trace_starts_one(server: OtlpServer, value: object) -> None:
    [query, span] = reported(server, [value])

    assert not span.parent_span_id
    assert query.trace_id == span.trace_id


def test_a_call_goes_on_in_the_trace_of_its_span(server: OtlpServer) -> None:
    reporter = SpanReporter("products")
    with reporter.call("products.v1.Products/GetProduct", traceparent(TRACES[0])):
        outgoing = trace_context.outgoing()["traceparent"]
    reporter.shut_down()

    [span] = server.spans
    assert (span.kind, span.trace_id.hex()) == (Span.SPAN_KIND_SERVER, TRACES[0])
    assert outgoing == f"00-{TRACES[0]}-{span.span_id.hex()}-01"
    [resource] = server.resources
    names = {each.key: each.value.string_value for each in resource.resource.attributes}
    assert names["service.name"] == "products"


def test_a_dead_letter_is_published_in_its_own_trace(server: OtlpServer) -> None:
    reporter = SpanReporter("inventory")
    in_batch = reporter.events("/widgets.v1", [traceparent(TRACES[0])])
    with in_batch, reporter.publication("dead letters", traceparent(TRACES[1])):
        assert TRACES[1] in trace_context.outgoing()["traceparent"]
    reporter.shut_down()

    assert {span.name: span.trace_id.hex() for span in server.spans} == {
        "process /widgets.v1": TRACES[0],
        "publish dead letters": TRACES[1],
    }
