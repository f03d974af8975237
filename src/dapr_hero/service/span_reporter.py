"""Reports the spans of a service by OTLP over HTTP, named by OpenTelemetry's semantic conventions.

https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager

from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind
from opentelemetry.util.types import AttributeValue

from dapr_hero.service import trace_context
from dapr_hero.service.event_spans import EventSpanExporter, EventSpans


class SpanReporter:
    """Opens spans. OpenTelemetry's own variables decide where they go, and how many."""

    def __init__(self, service: str) -> None:
        self._provider = TracerProvider(
            resource=Resource.create({SERVICE_NAME: service}), shutdown_on_exit=False
        )
        self._processor = BatchSpanProcessor(EventSpanExporter())
        self._provider.add_span_processor(self._processor)
        self._tracer = self._provider.get_tracer("dapr_hero")

    def shut_down(self) -> None:
        """Send the spans that are left; blocks until they are sent or the exporter's time is over."""
        self._provider.shutdown()

    @contextmanager
    def events(self, path: str, traceparents: Sequence[object]) -> Iterator[None]:
        """Open a span for each event of a batch, in the trace of its sender.

        A batch makes one call to its store, and a call belongs to one trace: that of the first event whose
        sender reports its spans. The spans of the other events are linked to that event's.
        """
        first = next((place for place, each in enumerate(traceparents) if trace_context.is_sampled(each)), 0)
        attributes: dict[str, AttributeValue] = {
            "messaging.system": "dapr",
            "messaging.operation.type": "process",
            "messaging.operation.name": "process",
            "messaging.destination.name": path,
            "messaging.batch.message_count": len(traceparents),
        }
        parent = traceparents[first]
        with self._open(f"process {path}", SpanKind.CONSUMER, attributes, parent) as leader:
            yield
        others = [
            each
            for place, each in enumerate(traceparents)
            if place != first and isinstance(each, str) and trace_context.is_sampled(each)
        ]
        if others and isinstance(leader, ReadableSpan):
            self._processor.on_end(EventSpans(leader, others))

    def call(self, method: str, traceparent: object) -> AbstractContextManager[Span]:
        """Open a span for a gRPC call that came in."""
        attributes = {"rpc.system.name": "grpc", "rpc.method": method}
        return self._open(method, SpanKind.SERVER, attributes, traceparent)

    def publication(self, topic: str, traceparent: object) -> AbstractContextManager[Span]:
        """Open a span for the publication of an event."""
        attributes = {
            "messaging.system": "dapr",
            "messaging.operation.type": "send",
            "messaging.operation.name": "publish",
            "messaging.destination.name": topic,
        }
        return self._open(f"publish {topic}", SpanKind.PRODUCER, attributes, traceparent)

    def query(self, operation: str, table: str) -> AbstractContextManager[Span]:
        """Open a span for one round trip to PostgreSQL, inside the current one."""
        attributes = {
            "db.system.name": "postgresql",
            "db.operation.name": operation,
            "db.collection.name": table,
        }
        name = f"{operation} {table}"
        return self._tracer.start_as_current_span(name, kind=SpanKind.CLIENT, attributes=attributes)

    def _open(
        self, name: str, kind: SpanKind, attributes: Mapping[str, AttributeValue], traceparent: object
    ) -> AbstractContextManager[Span]:
        return self._tracer.start_as_current_span(name, trace_context.parent(traceparent), kind, attributes)
