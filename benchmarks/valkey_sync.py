"""Measures the cost of syncing every write of Valkey to the disk before the answer (ADR 12).

python -m benchmarks.valkey_sync [MODE]
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

_EVENTS = 40_000
_ROUNDS = 2


async def main(mode: Mode) -> None:
    async with bench_platform(mode, runtime.obtain(settings.load(), Silence())) as on:
        for number in range(_ROUNDS):
            for sync in ("no", "everysec", "always"):
                await on.stores.valkey.config_set("appendfsync", sync)
                for kind in KINDS:
                    workload = Workload(kind.name, (kind,), _EVENTS, f"{sync}-{number}-{kind.name}")
                    cost = await drain(on, workload)
                    sys.stdout.write(
                        f"{sync:8} {kind.name:11} {cost.total:5.1f} µs per event, {cost.rate:6,.0f}/s\n"
                    )
                    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(Mode((*sys.argv[1:], Mode.CUSTOM_GRPC)[0])))
