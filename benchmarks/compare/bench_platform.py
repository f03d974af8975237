"""A platform in one mode, with temporary data and free ports, and the tools that measure it."""

import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, nullcontext
from pathlib import Path
from typing import NamedTuple

from benchmarks.compare import stores
from benchmarks.compare.meter import Meter
from benchmarks.compare.stores import Stores
from benchmarks.compare.topic_backlog import Backlog
from dapr_hero.contract.mode import Mode
from dapr_hero.local import assembly
from dapr_hero.local.chosen_ports import on_free_ports, replica_on_free_ports
from dapr_hero.local.platform import Platform
from dapr_hero.settings import Settings
from dapr_local.install.runtime import DaprRuntime
from dapr_local.parts import sentry
from dapr_local.progress import Advance
from dapr_local.supervise.process import Process

# The programs of this package are found from here; it is not installed.
_REPOSITORY = Path(__file__).parents[2]


class BenchPlatform(NamedTuple):
    platform: Platform
    stores: Stores
    backlog: Backlog

    @property
    def settings(self) -> Settings:
        return self.platform.settings

    @asynccontextmanager
    async def swapped(self, part: str, *program: str) -> AsyncIterator[Process]:
        """Run a Python program in place of a service until the block ends."""
        await self.platform.runner.stop(part)
        log = self.platform.runner.processes[part].log
        process = Process(
            part, [sys.executable, *program], log, env=self.settings.environment(), folder=_REPOSITORY
        )
        await process.start()
        try:
            yield process
        finally:
            await process.stop()

    @property
    def inventories(self) -> list[str]:
        """The parts of inventory and its replicas, each with its sidecar."""
        names = [assembly.replica(number) for number, _ in enumerate(self.platform.inventories, start=1)]
        return [*names, *(f"{name}-daprd" for name in names)]

    def meter(self, *others: Process) -> Meter:
        """Of all processes of the platform as they run now, and of others."""
        every = [*self.platform.runner.processes.values(), *others]
        return Meter({each.name: each.pid for each in every if each.running and each.pid})


class Silence:
    """Many platforms come and go; the comparison has one bar for all of them."""

    def say(self, message: str) -> None: ...

    def track(
        self, description: str, total: int | None, unit: str = "steps"
    ) -> AbstractContextManager[Advance]:
        unheard: Callable[[int], None] = lambda _: None  # noqa: E731
        return nullcontext(unheard)


@asynccontextmanager
async def bench_platform(
    mode: Mode,
    runtime: DaprRuntime,
    *,
    tracing: bool = False,
    mtls: bool = False,
    inventories: int = 1,
    bulk_subscribe: bool = True,
) -> AsyncIterator[BenchPlatform]:
    """Run a new platform with temporary data. Raises: LocalError."""
    with _folder() as folder:
        settings = on_free_ports(dapr_mode=mode, data_dir=folder / "data", bulk_subscribe=bulk_subscribe)
        left_out = (set() if tracing else assembly.TRACING) | (set() if mtls else {sentry.NAME})
        parts = assembly.ALL - left_out
        replicas = [replica_on_free_ports(settings) for _ in range(inventories - 1)]
        quiet = Silence()
        async with (
            Platform(settings, runtime, quiet, parts=parts, replicas=replicas) as platform,
            stores.opened(platform.settings) as opened,
        ):
            backlog = await Backlog.learnt(opened.valkey, platform.settings, quiet)
            yield BenchPlatform(platform, opened, backlog)


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="dapr-hero-compare-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # PostgreSQL never runs as root, and must get in.
        yield folder
