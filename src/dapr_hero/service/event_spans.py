"""The spans of a batch's events, made together: a seventh of the SDK's cost for one after the other (ADR 38)."""

import secrets
from collections.abc import Iterator, Sequence

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import SpanFlags
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.trace import Link

_SPAN_ID_BYTES = 8
# Receivers limit the size of a request.
_REQUEST_SPANS = 2000


class EventSpans(ReadableSpan):
    """One span for each further event of a batch, as one entry in the queue of the exporter.

    `leader` is the span of the batch's first event, in which the store is called. The others are as long, are
    linked to it, and are children of these sampled `traceparents`.
    """

    def __init__(self, leader: ReadableSpan, traceparents: Sequence[str]) -> None:
        super().__init__(
            leader.name,
            leader.context,
            resource=leader.resource,
            attributes=leader.attributes,
            links=[Link(leader.context)] if leader.context else [],
            kind=leader.kind,
            start_time=leader.start_time,
            end_time=leader.end_time,
            instrumentation_scope=leader.instrumentation_scope,
        )
        self._traceparents = traceparents

    def __len__(self) -> int:
        return len(self._traceparents)

    def request(self) -> ExportTraceServiceRequest:
        """Return the spans in OTLP."""
        request = encode_spans([self])
        spans = request.resource_spans[0].scope_spans[0].spans
        pattern = spans.pop()
        # This entry has no parent; that of each event is in another process.
        pattern.flags |= SpanFlags.SPAN_FLAGS_CONTEXT_IS_REMOTE_MASK
        ids = secrets.token_bytes(_SPAN_ID_BYTES * len(self._traceparents))
        for place, traceparent in enumerate(self._traceparents):
            pattern.trace_id = bytes.fromhex(traceparent[3:35])
            pattern.parent_span_id = bytes.fromhex(traceparent[36:52])
            pattern.span_id = ids[place * _SPAN_ID_BYTES : (place + 1) * _SPAN_ID_BYTES]
            spans.append(pattern)
        return request


class EventSpanExporter(OTLPSpanExporter):
    """Exports spans by OTLP over HTTP, those of whole batches among them. Configured by `OTEL_*` variables."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send the spans. A failure is logged by the SDK, and its spans are dropped."""
        sent = [self._client.export(each.SerializeToString()).success for each in _requests(spans)]
        return SpanExportResult.SUCCESS if all(sent) else SpanExportResult.FAILURE


def _requests(spans: Sequence[ReadableSpan]) -> Iterator[ExportTraceServiceRequest]:
    """Yield requests that hold all spans, none of them much longer than `_REQUEST_SPANS`."""
    single = [each for each in spans if not isinstance(each, EventSpans)]
    request, length = encode_spans(single), len(single)
    for each in spans:
        if isinstance(each, EventSpans):
            request.MergeFrom(each.request())
            length += len(each)
        if length > _REQUEST_SPANS:
            yield request
            request, length = ExportTraceServiceRequest(), 0
    if length:
        yield request
