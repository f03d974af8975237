"""The spans of the services, in addition to those of daprd."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.context import Context, attach, detach
from opentelemetry.exporter.zipkin.json import ZipkinExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from dapr_hero.settings import Settings

_propagator = TraceContextTextMapPropagator()
_tracer = trace.get_tracer("dapr_hero")


def configure(service: str, settings: Settings) -> TracerProvider | None:
    """Report spans under the name of `service` to Zipkin; the caller shuts the provider down."""
    if not settings.tracing:
        return None
    endpoint = f"http://{settings.zipkin_host}:{settings.zipkin_port}/api/v2/spans"
    provider = TracerProvider(resource=Resource({SERVICE_NAME: service}), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(ZipkinExporter(endpoint=endpoint, timeout=2)))
    trace.set_tracer_provider(provider)
    return provider


@contextmanager
def received(name: str, traceparents: Sequence[object]) -> Iterator[None]:
    """Open a span for each event or call of a batch, in the trace of its sender.

    A batch makes one call to its store, and a call belongs to one trace: that of the batch's first. Where
    spans are not reported, only that trace is continued.
    """
    if not _are_reported():
        token = attach(_parent(traceparents[0]))
        try:
            yield
        finally:
            detach(token)
        return
    spans = [_tracer.start_span(name, _parent(each), SpanKind.CONSUMER) for each in traceparents]
    try:
        with trace.use_span(spans[0]):
            yield
    finally:
        for span in spans:
            span.end()


@contextmanager
def database(name: str, system: str) -> Iterator[None]:
    """Open a span for one round trip to a database, which reports no spans itself."""
    if not _are_reported():
        yield
        return
    attributes = {"db.system": system, "peer.service": system}
    with _tracer.start_as_current_span(name, kind=SpanKind.CLIENT, attributes=attributes):
        yield


def _are_reported() -> bool:
    return isinstance(trace.get_tracer_provider(), TracerProvider)


def outgoing() -> dict[str, str]:
    """Return the headers (or gRPC metadata) that continue the current trace in the next process."""
    headers: dict[str, str] = {}
    _propagator.inject(headers)
    return headers


def _parent(traceparent: object) -> Context:
    carrier = {"traceparent": traceparent} if isinstance(traceparent, str) else {}
    return _propagator.extract(carrier)
