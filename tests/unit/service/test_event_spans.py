"""Spans of whole batches as requests of OTLP, held against those of the SDK."""

import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.trace import Link, SpanKind

from dapr_hero.service import trace_context
from dapr_hero.service.event_spans import EventSpanExporter, EventSpans
from tests.unit.service.otlp_server import otlp_server

SENDER = "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01"
TRACER = TracerProvider(shutdown_on_exit=False).get_tracer("test")
ATTRIBUTES = {"messaging.system": "dapr"}


def ended(traceparent: str | None, links: list[Link]) -> ReadableSpan:
    context = trace_context.parent(traceparent)
    span = TRACER.start_span("process", context, SpanKind.CONSUMER, ATTRIBUTES, links, start_time=1)
    assert isinstance(span, ReadableSpan)
    span.end(end_time=2)
    return span


def test_a_span_of_a_batch_is_what_the_sdk_would_have_made() -> None:
    leader = ended(None, [])
    assert leader.context
    expected = encode_spans([ended(SENDER, [Link(leader.context)])])

    got = EventSpans(leader, [SENDER]).request()

    [[span]] = [scope.spans for each in got.resource_spans for scope in each.scope_spans]
    [[of_sdk]] = [scope.spans for each in expected.resource_spans for scope in each.scope_spans]
    assert len(span.span_id) == 8
    of_sdk.span_id = span.span_id  # a random one
    assert got == expected


def test_a_long_queue_is_sent_in_several_requests() -> None:
    batch = EventSpans(ended(None, []), [SENDER] * 500)
    with otlp_server() as server:
        exporter = EventSpanExporter(f"{server.endpoint}/v1/traces")
        assert exporter.export([ended(SENDER, []), *[batch] * 10]) is SpanExportResult.SUCCESS
        exporter.shutdown()  # type: ignore[no-untyped-call]

    assert len(server.spans) == 5001
    assert 2 <= len(server.requests) <= 3
    assert {type(span) for span in server.spans} == {Span}


def test_a_receiver_that_is_away_is_a_failure_and_no_exception(caplog: pytest.LogCaptureFixture) -> None:
    exporter = EventSpanExporter("http://127.0.0.1:1/v1/traces", timeout=0.1)

    assert exporter.export([EventSpans(ended(None, []), [SENDER])]) is SpanExportResult.FAILURE
    assert caplog.text
