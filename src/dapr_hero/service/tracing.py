"""The place of the services in the traces of their callers.

Their own spans are reported where OpenTelemetry's variables name an endpoint:
https://opentelemetry.io/docs/languages/sdk-configuration/otlp-exporter/
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING

from opentelemetry.context import attach, detach

from dapr_hero.service import trace_context
from dapr_hero.settings import SettingsError

if TYPE_CHECKING:
    from dapr_hero.service.span_reporter import SpanReporter

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_reporter: "SpanReporter | None" = None


def report(service: str) -> "SpanReporter | None":
    """Report spans under the name of `service` from now on; the caller shuts the reporter down.

    Returns None, and reports nothing, where no variable names an endpoint or `OTEL_SDK_DISABLED` is true.
    Raises: SettingsError when a variable of OpenTelemetry cannot be used.
    """
    global _reporter
    disabled = os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    if disabled or not any(map(os.environ.get, _ENDPOINTS)):
        return None
    try:
        from dapr_hero.service.span_reporter import SpanReporter  # a third of a second, for those who trace

        _reporter = SpanReporter(service)
    except ValueError as error:
        raise SettingsError(f"a variable of OpenTelemetry (OTEL_…) cannot be used: {error}") from None
    return _reporter


def events(path: str, traceparents: Sequence[object]) -> AbstractContextManager[object]:
    """Handle a batch in the traces of its events; calls continue that of one of them."""
    return _reporter.events(path, traceparents) if _reporter else _continued(traceparents[0])


def call(method: str, traceparent: object) -> AbstractContextManager[object]:
    """Handle a gRPC call, such as "products.v1.Products/GetProduct", in the trace of its caller."""
    return _reporter.call(method, traceparent) if _reporter else _continued(traceparent)


def publication(topic: str, traceparent: object) -> AbstractContextManager[object]:
    """Publish an event in its own trace, not in that of the batch it came with."""
    return _reporter.publication(topic, traceparent) if _reporter else _continued(traceparent)


def query(operation: str, table: str) -> AbstractContextManager[object]:
    """Make one round trip to PostgreSQL, which reports no spans itself."""
    return _reporter.query(operation, table) if _reporter else nullcontext()


@contextmanager
def _continued(traceparent: object) -> Iterator[None]:
    token = attach(trace_context.parent(traceparent))
    try:
        yield
    finally:
        detach(token)
