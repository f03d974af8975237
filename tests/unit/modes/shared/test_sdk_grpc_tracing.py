from types import SimpleNamespace
from typing import Any

import grpc.aio
import pytest

from dapr_hero.modes.shared.sdk_grpc_tracing import TraceInterceptor
from dapr_hero.service import trace_context


class Details(SimpleNamespace):
    def _replace(self, **changes: Any) -> "Details":
        return Details(**{**vars(self), **changes})


@pytest.mark.parametrize("given", [None, grpc.aio.Metadata(("dapr-api-token", "t"))])
async def test_a_call_carries_the_trace_and_keeps_its_own_headers(
    given: grpc.aio.Metadata | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trace_context, "outgoing", lambda: {"traceparent": "00-a-b-01"})

    async def sent(details: Any, request: object) -> list[tuple[str, Any]]:
        assert request == "request"
        return list(details.metadata)

    headers = await TraceInterceptor().intercept_unary_unary(sent, Details(metadata=given), "request")

    assert headers == [*(given or ()), ("traceparent", "00-a-b-01")]
