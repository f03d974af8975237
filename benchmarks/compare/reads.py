"""Reads over REST, by wrk where it is installed, otherwise by our own driver in a separate process."""

import asyncio
import shutil
import sys
from importlib import resources
from pathlib import Path
from typing import NamedTuple

import msgspec

from benchmarks.compare.bench_platform import BenchPlatform
from benchmarks.compare.results import Cost, Reads
from benchmarks.compare.stores import WrongResult
from benchmarks.compare.workloads import Workload
from dapr_local.supervise.process import Process

CONNECTIONS = 32
WRK = shutil.which("wrk")
DRIVER = "wrk" if WRK else "the driver of dapr-hero"
_WARM_SECONDS = 1


class Answers(msgspec.Struct):
    """The output of a driver."""

    count: int
    seconds: float
    p50_ms: float
    p99_ms: float
    bad: int
    """Answers that were not 200, and connections that failed."""


class Target(NamedTuple):
    """Items that are stored: ids of one prefix, numbered from 0 on."""

    port: int
    resource: str
    prefix: str
    items: int


async def read(bench: BenchPlatform, workload: Workload, seconds: int, *others: Process) -> Reads:
    """Return the cost of a read of the items of a drained workload. Raises: WrongResult."""
    target = Target(
        bench.settings.inventory_port, workload.kinds[0].resource, workload.prefix, workload.total
    )
    await drive(target, _WARM_SECONDS)
    meter = bench.meter(*others)
    before = meter.cpu_seconds()
    answers = await drive(target, seconds)
    after = meter.cpu_seconds()
    return Reads(Cost.of(answers.count, answers.seconds, before, after), answers.p50_ms, answers.p99_ms)


async def drive(target: Target, seconds: int) -> Answers:
    """Ask for random items, over all connections at once. Raises: WrongResult."""
    process = await asyncio.create_subprocess_exec(*_command(target, seconds), stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    answers = msgspec.json.decode(output.splitlines()[-1], type=Answers)
    if answers.bad or process.returncode:
        raise WrongResult(f"reading {target.resource}: {answers.bad} of {answers.count} answers were not 200")
    return answers


def _command(target: Target, seconds: int) -> list[str]:
    where = [target.resource, target.prefix, str(target.items)]
    if not WRK:
        module = "benchmarks.compare.load_generator"
        return [sys.executable, "-m", module, str(target.port), *where, str(CONNECTIONS), str(seconds)]
    script = Path(str(resources.files("benchmarks.compare").joinpath("reads.lua")))
    limits = ["--threads=1", f"--connections={CONNECTIONS}", f"--duration={seconds}s"]
    return [WRK, *limits, f"--script={script}", f"http://127.0.0.1:{target.port}", "--", *where]
