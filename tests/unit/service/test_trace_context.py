"""Traceparents as they come in, and the headers that continue them."""

import pytest

from dapr_hero.service import trace_context

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "00f067aa0ba902b7"


@pytest.mark.parametrize(
    ("value", "sampled"),
    [
        (f"00-{TRACE}-{SPAN}-01", True),
        (f"00-{TRACE}-{SPAN}-03", True),
        (f"00-{TRACE}-{SPAN}-00", False),
        (f"00-{TRACE}-{SPAN}-02", False),
        (f"00-{0:032x}-{SPAN}-01", False),
        (f"00-{TRACE}-{0:016x}-01", False),
        (f"00-{TRACE}-{SPAN}-01-more", False),
        (f"00-{TRACE.upper()}-{SPAN}-01", False),
        ("", False),
        (None, False),
        (7, False),
    ],
)
def test_sampled_is_what_the_last_bit_of_a_valid_traceparent_says(value: object, sampled: bool) -> None:
    assert trace_context.is_sampled(value) is sampled


def test_there_is_no_header_outside_of_a_trace() -> None:
    assert trace_context.outgoing() == {}
