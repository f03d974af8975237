"""Continues our trace in daprd: the calls of the SDK's gRPC client take no trace context."""

from typing import Any

import grpc.aio

from dapr_hero.service import trace_context


class TraceInterceptor(grpc.aio.UnaryUnaryClientInterceptor):
    """Adds the trace context of the current span to each call."""

    async def intercept_unary_unary(self, continuation: Any, details: Any, request: Any) -> Any:
        """Send the call with the headers of the current trace."""
        metadata = grpc.aio.Metadata(*(details.metadata or ()), *trace_context.outgoing().items())
        return await continuation(details._replace(metadata=metadata), request)
