"""Counts the inputs of the fuzz tests by their outcomes."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

ANSWERS = ("accepted", "rejected", "later")


class Entry(NamedTuple):
    """One way in. Inputs are deliveries or requests; a delivery in bulk has several answers."""

    name: str
    inputs: int
    answers: Counter[str]
    seconds: float


class Count:
    """Counts the inputs of one entry. `later`: a dependency was down, or Dapr has to move the event."""

    def __init__(self) -> None:
        self.inputs = 0
        self.answers: Counter[str] = Counter()

    def add(self, *answers: str) -> None:
        self.inputs += 1
        self.answers.update(answers)


class Tally:
    def __init__(self) -> None:
        self.entries: list[Entry] = []

    @contextmanager
    def entry(self, name: str) -> Iterator[Count]:
        count, begun = Count(), time.monotonic()
        yield count
        if count.inputs:
            self.add(name, count, time.monotonic() - begun)

    def add(self, name: str, count: Count, seconds: float) -> None:
        self.entries.append(Entry(name, count.inputs, count.answers, seconds))


def table(entries: Sequence[Entry]) -> list[str]:
    """The entries in columns, each below its name."""
    rows: list[tuple[str, ...]] = [("entry", "inputs", *ANSWERS, "seconds")]
    for each in sorted(entries):
        counts = [f"{each.answers[answer]:,}" for answer in ANSWERS]
        rows.append((each.name, f"{each.inputs:,}", *counts, f"{each.seconds:.1f}"))
    width = max(len(row[0]) for row in rows)
    return [f"{row[0]:<{width}}" + "".join(f"{cell:>11}" for cell in row[1:]) for row in rows]
