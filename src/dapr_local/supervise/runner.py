"""Runs parts: starts them in order, watches them, and stops them in order."""

import asyncio
import time
from collections.abc import Mapping
from types import MappingProxyType, TracebackType
from typing import Self

from dapr_local.errors import PartDied
from dapr_local.parts.part import Part, Stage
from dapr_local.progress import Report
from dapr_local.supervise import start_order
from dapr_local.supervise.process import Process


class Runner:
    """`async with Runner(parts, report) as runner: await Supervisor(runner, report).run()`.

    No process is left when the block ends, however it ends; a second cancellation during the stop turns it
    into a kill. Each method takes the name of a part; `processes` has them with pid and log.
    """

    def __init__(self, parts: Mapping[str, Part], report: Report) -> None:
        self._parts = dict(parts)
        self._report = report
        self._processes: dict[str, Process] = {}
        self._watchers: dict[str, asyncio.Task[None]] = {}
        self._deaths: asyncio.Queue[PartDied] = asyncio.Queue()

    async def __aenter__(self) -> Self:
        """Start all parts. Raises: LocalError; what was started is stopped again."""
        try:
            await self._start_all()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop all parts."""
        await self.close()

    @property
    def processes(self) -> MappingProxyType[str, Process]:
        """The processes by the names of their parts."""
        return MappingProxyType(self._processes)

    async def death(self) -> PartDied:
        """Wait until a part ends that was not to stop; return how it ended."""
        return await self._deaths.get()

    async def start(self, *names: str) -> None:
        """Start parts that have ended, together, and wait until they are ready.

        Raises: PartDied; the parts that did not become ready have been stopped.
        """
        try:
            await start_order.start({name: self._parts[name] for name in names}, self._begin)
        except PartDied as death:
            await self.stop(death.name)
            raise

    async def stop(self, name: str) -> None:
        """Stop a part as at the end."""
        self._unwatch(name)
        await self._processes[name].stop(self._parts[name].stop_seconds)

    async def kill(self, name: str) -> None:
        """End a part with SIGKILL, without a chance to clean up."""
        self._unwatch(name)
        self._processes[name].kill()
        await self._processes[name].wait()

    async def restart(self, name: str) -> None:
        """Stop and start a part."""
        await self.stop(name)
        await self.start(name)

    async def close(self) -> None:
        """Stop all that runs: services, sidecars, Sentry, stores."""
        stopping = asyncio.create_task(self._stop_all())
        try:
            await asyncio.shield(stopping)
        except asyncio.CancelledError:
            for process in self._processes.values():
                process.kill()
            await stopping
            raise

    async def _start_all(self) -> None:
        """Start in order; stop if a running part dies in the meantime."""
        starting = asyncio.ensure_future(start_order.start(self._parts, self._begin))
        dying = asyncio.ensure_future(self.death())
        try:
            await asyncio.wait({starting, dying}, return_when=asyncio.FIRST_COMPLETED)
            if dying.done():
                raise dying.result()
            await starting
        finally:
            dying.cancel()
            starting.cancel()
            await asyncio.gather(dying, starting, return_exceptions=True)

    async def _begin(self, part: Part) -> None:
        began = time.monotonic()
        process = await part.launch()
        self._processes[part.name] = process
        await process.start()
        await process.wait_ready(part.ready, part.ready_seconds)
        await part.after_ready()
        self._watchers[part.name] = asyncio.create_task(self._watch(process))
        self._report.say(f"{part.name} is up ({time.monotonic() - began:.1f} s)")

    async def _watch(self, process: Process) -> None:
        await process.wait()
        self._watchers.pop(process.name, None)
        self._deaths.put_nowait(process.death())

    def _unwatch(self, name: str) -> None:
        watcher = self._watchers.pop(name, None)
        if watcher is not None:
            watcher.cancel()

    async def _stop_all(self) -> None:
        for stage in sorted(Stage, reverse=True):
            names = [name for name in self._processes if self._parts[name].stage is stage]
            await asyncio.gather(*(self.stop(name) for name in names))
