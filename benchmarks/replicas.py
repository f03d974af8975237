"""Measures the rate of widget events by the number of inventory replicas, each with a bounded share of a core.

python -m benchmarks.replicas [CORES]: for each replica and for its sidecar alike, 0.15 by default.
Needs Linux with control groups of version 1 (cpu) that this user may write.
"""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.compare.bench_platform import BenchPlatform, Silence, bench_platform
from benchmarks.compare.drains import drain
from benchmarks.compare.workloads import Workload
from dapr_hero import settings
from dapr_hero.contract.kinds import KINDS
from dapr_hero.contract.mode import Mode
from dapr_hero.local import runtime

_GROUPS = Path("/sys/fs/cgroup/cpu")
_PERIOD_MICROSECONDS = 20_000
_EVENTS = 40_000


async def main(cores: float) -> None:
    found = runtime.obtain(settings.load(), Silence())
    alone = 0.0
    for count in (1, 2, 3):
        async with bench_platform(Mode.CUSTOM_GRPC, found, inventories=count) as on:
            with _limited(on, cores) as limiting:
                cost = await drain(on, Workload("replicas", KINDS[:1], _EVENTS, "replicas"))
                limiting.cancel()
        alone = alone or cost.rate
        sys.stdout.write(
            f"{count} with {cores:g} cores for each process: {cost.rate:7,.0f} events/s,"
            f" {cost.rate / alone:.2f} of one; {cost.total:.1f} µs per event: {_shown(cost.cpu)}\n"
        )
        sys.stdout.flush()


def _shown(cpu: dict[str, float]) -> str:
    return ", ".join(f"{part} {each:.1f}" for part, each in cpu.items() if each > 0.5)


@contextmanager
def _limited(on: BenchPlatform, cores: float) -> Iterator[asyncio.Task[None]]:
    """Put each process of inventory and its replicas into a control group."""
    groups = {part: _GROUPS / f"dapr-hero-{part}" for part in on.inventories}
    for group in groups.values():
        group.mkdir(exist_ok=True)
        (group / "cpu.cfs_period_us").write_text(str(_PERIOD_MICROSECONDS))
        (group / "cpu.cfs_quota_us").write_text(str(int(cores * _PERIOD_MICROSECONDS)))
    limiting = asyncio.create_task(_limit(on, groups))
    try:
        yield limiting
    finally:
        for group in groups.values():
            for pid in (group / "cgroup.procs").read_text().split():
                (_GROUPS / "cgroup.procs").write_text(pid)
            group.rmdir()


async def _limit(on: BenchPlatform, groups: dict[str, Path]) -> None:
    done: set[int] = set()
    while True:
        for part, group in groups.items():
            process = on.platform.runner.processes[part]
            if process.running and process.pid and process.pid not in done:
                (group / "cgroup.procs").write_text(str(process.pid))
                done.add(process.pid)
        await asyncio.sleep(0.02)


if __name__ == "__main__":
    asyncio.run(main(float((*sys.argv[1:], "0.15")[0])))
