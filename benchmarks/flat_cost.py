"""Compares the cost of the millionth event with that of the ten thousandth: widgets, in µs of CPU of all processes.

python -m benchmarks.flat_cost [MODE]
"""

import asyncio
import sys

from benchmarks.compare.bench_platform import Silence, bench_platform
from benchmarks.compare.drains import drain
from benchmarks.compare.workloads import Workload
from dapr_hero import settings
from dapr_hero.contract.kinds import KINDS
from dapr_hero.contract.mode import Mode
from dapr_hero.local import runtime

_COUNTS = (10_000, 100_000, 1_000_000)


async def main(mode: Mode) -> None:
    async with bench_platform(mode, runtime.obtain(settings.load(), Silence())) as on:
        for count in _COUNTS:
            cost = await drain(on, Workload(f"{count} events", KINDS[:1], count, f"flat{count}"))
            memory = on.meter().rss_mib()
            sys.stdout.write(
                f"{count:>9,} events: {cost.total:5.1f} µs each, {cost.rate:7,.0f}/s;"
                f" inventory {memory['inventory']:.0f} MiB, its daprd {memory['inventory-daprd']:.0f} MiB\n"
            )
            sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(Mode((*sys.argv[1:], Mode.CUSTOM_GRPC)[0])))
