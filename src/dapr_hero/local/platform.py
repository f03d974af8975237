"""The whole platform on one machine: its parts are started in order, watched, and stopped in order."""

import asyncio
import time
from collections.abc import Collection, Sequence
from contextlib import ExitStack
from itertools import count
from types import MappingProxyType, TracebackType
from typing import Self

from dapr_hero.local import assembly, ports
from dapr_hero.local.credentials import keep_tokens
from dapr_hero.local.daprd import Sidecar
from dapr_hero.local.data import DataDir
from dapr_hero.local.resources import Subscription
from dapr_hero.local.runtime import DaprRuntime
from dapr_hero.settings import Settings
from dapr_local.errors import PartDied, PortTaken
from dapr_local.parts.part import Part, Stage
from dapr_local.progress import Report
from dapr_local.supervise import start_order
from dapr_local.supervise.process import Process

_ATTEMPTS = 3


class Platform:
    """`async with Platform(...) as platform: await Supervisor(platform, report).run()`.

    Nothing of it is left when the block ends, however it ends; a second cancellation during the stop turns
    it into a kill. Parts have names, of which each method takes one; `processes` has them with pid and log.
    """

    def __init__(
        self,
        settings: Settings,
        runtime: DaprRuntime,
        report: Report,
        *,
        parts: Collection[str] = assembly.ALL,
        subscription: Subscription = Subscription.DECLARATIVE,
        replicas: Sequence[Settings] = (),
        extra: Sequence[Sidecar] = (),
        fresh: bool = False,
    ) -> None:
        """Use the settings with their offset applied; the services get them as their environment.

        `parts` are the ones to start: without "sentry" there is no mTLS and so no access control, without
        "zipkin" no tracing; without a service its sidecar is ready before anything listens on the app's port.
        `replicas` are the settings of further inventories, whose parts are "inventory-2" and
        "inventory-2-daprd", and so on. `extra` are sidecars of other app ids. `fresh` forgets the data of
        earlier runs.
        """
        self._settings = settings.shifted()
        self._runtime = runtime
        self._report = report
        self._chosen = frozenset(parts)
        self._subscription = subscription
        self._replicas = [each.shifted() for each in replicas]
        self._extra = extra
        self._fresh = fresh
        self._held = ExitStack()
        self._parts: dict[str, Part] = {}
        self._processes: dict[str, Process] = {}
        self._watchers: dict[str, asyncio.Task[None]] = {}
        self._deaths: asyncio.Queue[PartDied] = asyncio.Queue()

    async def __aenter__(self) -> Self:
        """Start everything. Raises: LocalError; what was started is stopped again."""
        try:
            data = DataDir.open(self._settings, fresh=self._fresh)
            self._held.callback(data.close)
            self._settings, *self._replicas = [keep_tokens(each, data) for each in self.inventories]
            self._reserve_ports(data)
            await self._start_all()
        except BaseException:
            await self.close()
            raise
        return self

    def _reserve_ports(self, data: DataDir) -> None:
        """Choose the ports that no user types, and reserve all. Raises: PortTaken."""
        given = self.inventories
        for attempt in count(1):
            self._settings, *self._replicas = ports.choose(*given)
            self._parts = assembly.parts(
                self._settings,
                data,
                self._runtime,
                self._report,
                chosen=self._chosen,
                subscription=self._subscription,
                replicas=self._replicas,
                extra=self._extra,
            )
            needed = {key: port for part in self._parts.values() for key, port in part.ports.items()}
            try:
                self._held.enter_context(ports.reserve(needed))
                return
            except PortTaken as taken:
                # A chosen port can be taken by another process before it is reserved.
                if attempt == _ATTEMPTS or any(taken.port in ports.of(each) for each in given):
                    raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop everything."""
        await self.close()

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self._settings

    @property
    def inventories(self) -> list[Settings]:
        """The settings of each inventory, the first and its replicas."""
        return [self._settings, *self._replicas]

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
        finally:
            self._held.close()

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
        await part.settle()
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
