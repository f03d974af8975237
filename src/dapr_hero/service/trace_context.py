"""The trace of a caller, as it comes in and as it goes on: https://www.w3.org/TR/trace-context/."""

import re

from opentelemetry.context import Context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_propagator = TraceContextTextMapPropagator()
# Version, trace and parent, neither of them zero, and flags, of which the last bit is "sampled".
_SAMPLED = re.compile("00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f][13579bdf]")


def parent(traceparent: object) -> Context:
    """Return the context of a caller's span; an empty one if the value is not a traceparent."""
    carrier = {"traceparent": traceparent} if isinstance(traceparent, str) else {}
    return _propagator.extract(carrier)


def is_sampled(traceparent: object) -> bool:
    """Return whether the value is the traceparent of a caller that reports its span."""
    return isinstance(traceparent, str) and _SAMPLED.fullmatch(traceparent) is not None


def outgoing() -> dict[str, str]:
    """Return the headers (or gRPC metadata) that continue the current trace in the next process."""
    headers: dict[str, str] = {}
    _propagator.inject(headers)
    return headers
