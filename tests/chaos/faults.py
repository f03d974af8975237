"""Faults: which part is killed when, and for how long it is away; the same for the same seed."""

import random
from collections.abc import Sequence
from typing import NamedTuple

PARTS = ("inventory", "inventory-daprd", "products", "products-daprd", "postgres", "valkey", "sentry")
_LONGEST_PAUSE_SECONDS = 2.0
_LONGEST_OUTAGE_SECONDS = 4.0


class Fault(NamedTuple):
    """A part ends by SIGKILL, and is started again when it has been away for a while."""

    part: str
    pause_seconds: float
    """Since the fault before is over."""
    outage_seconds: float


def plan(seed: int, rounds: int, parts: Sequence[str] = PARTS) -> list[Fault]:
    """Each part in each round, in random order."""
    rng = random.Random(seed)  # noqa: S311
    order = [part for _ in range(rounds) for part in rng.sample(parts, len(parts))]
    return [
        Fault(part, rng.uniform(0, _LONGEST_PAUSE_SECONDS), rng.uniform(0, _LONGEST_OUTAGE_SECONDS))
        for part in order
    ]
