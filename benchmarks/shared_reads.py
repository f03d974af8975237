"""Measures the gain when simultaneous reads share a round trip, on the real platform (ADR 15).

python -m benchmarks.shared_reads
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from benchmarks.compare.bench_platform import Silence, bench_platform
from benchmarks.compare.drains import drain
from benchmarks.compare.reads import read
from benchmarks.compare.workloads import Workload
from dapr_hero import settings
from dapr_hero.contract.kinds import KINDS
from dapr_hero.contract.mode import Mode
from dapr_hero.inventory import app
from dapr_hero.inventory.fast_reads import shared_reads
from dapr_hero.local import runtime
from dapr_hero.local.services import INVENTORY
from dapr_hero.service import servers
from dapr_local.parts import readiness

_ITEMS = 10_000
_SECONDS = 3
_ROUNDS = 2


class _Alone:
    """In place of the reader: a trip for each read."""

    def __init__(self, fetch: Callable[[list[str]], Awaitable[Mapping[str, Any]]]) -> None:
        self._fetch = fetch

    def __class_getitem__(cls, _: object) -> type["_Alone"]:
        return cls

    async def get(self, key: str) -> Any:
        return (await self._fetch([key])).get(key)


def _alone() -> None:
    app.CoalescingReader = _Alone  # type: ignore[assignment,attr-defined]


def _at_once() -> None:
    async def pause(trip_seconds: float) -> None: ...

    shared_reads._pause = pause


_VARIANTS: dict[str, Callable[[], None]] = {
    "a trip for each read": _alone,
    "the next trip leaves at once": _at_once,
    "as it is": lambda: None,
}


async def main() -> None:
    async with bench_platform(Mode.CUSTOM_GRPC, runtime.obtain(settings.load(), Silence())) as on:
        workloads = [Workload(kind.name, (kind,), _ITEMS, kind.name) for kind in KINDS]
        for workload in workloads:
            await drain(on, workload)
        for variant in [*_VARIANTS] * _ROUNDS:
            async with on.swapped(INVENTORY, __file__, variant) as inventory:
                while not await readiness.http(f"http://127.0.0.1:{on.settings.inventory_port}/readyz"):
                    await asyncio.sleep(0.1)
                for workload in workloads:
                    found = await read(on, workload, _SECONDS, inventory)
                    sys.stdout.write(
                        f"{variant:28} {workload.kinds[0].resource:8} {found.cost.total:5.0f} µs per GET,"
                        f" {found.cost.rate:6,.0f}/s, p50 {found.p50_ms:.1f} ms, p99 {found.p99_ms:.1f} ms\n"
                    )
                    sys.stdout.flush()


if __name__ == "__main__":
    if len(sys.argv) == 1:
        asyncio.run(main())
    else:
        _VARIANTS[sys.argv[1]]()
        servers.run(app.serve)
