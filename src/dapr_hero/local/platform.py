"""The whole platform on one machine: its data, its ports and its parts."""

from collections.abc import Collection, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from dapr_hero.local import assembly, chosen_ports
from dapr_hero.local.credentials import keep_tokens
from dapr_hero.local.data import open_data_dir
from dapr_hero.local.resources import Registration
from dapr_hero.settings import Settings, key
from dapr_local import ports
from dapr_local.data import DataDir
from dapr_local.errors import PortTaken
from dapr_local.install.runtime import DaprRuntime
from dapr_local.parts.daprd import Daprd
from dapr_local.parts.part import Part
from dapr_local.progress import Report
from dapr_local.supervise.runner import Runner

_ATTEMPTS = 3


class Platform:
    """`async with Platform(...) as platform: await Supervisor(platform.runner, report).run()`.

    Nothing of it is left when the block ends, however it ends.
    """

    runner: Runner
    """Runs the parts, inside the block."""

    def __init__(
        self,
        settings: Settings,
        runtime: DaprRuntime,
        report: Report,
        *,
        parts: Collection[str] = assembly.ALL,
        registration: Registration = Registration.DECLARATIVE,
        replicas: Sequence[Settings] = (),
        extra: Sequence[Daprd] = (),
        fresh: bool = False,
    ) -> None:
        """Use the settings with their offset applied; the services get them as their environment.

        `parts` are the ones to start: without "sentry" there is no mTLS and so no access control, without
        `assembly.TRACING` no spans are reported; without a service its sidecar is ready before anything
        listens on the app's port.
        `replicas` are the settings of further inventories, whose parts are "inventory-2" and
        "inventory-2-daprd", and so on. `extra` are sidecars of other app ids. `fresh` forgets the data of
        earlier runs.
        """
        self._settings = settings.shifted()
        self._runtime = runtime
        self._report = report
        self._chosen = frozenset(parts)
        self._registration = registration
        self._replicas = [each.shifted() for each in replicas]
        self._extra = extra
        self._fresh = fresh
        self._held = ExitStack()

    async def __aenter__(self) -> Self:
        """Start everything. Raises: LocalError; what was started is stopped again."""
        with ExitStack() as held:
            data = open_data_dir(self._settings, fresh=self._fresh)
            held.callback(data.close)
            self._settings, *self._replicas = [keep_tokens(each, data) for each in self.inventories]
            parts, reservation = self._reserve_ports(data)
            held.enter_context(reservation)
            self.runner = await Runner(parts, self._report).__aenter__()
            self._held = held.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop everything."""
        with self._held:
            await self.runner.close()

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self._settings

    @property
    def inventories(self) -> list[Settings]:
        """The settings of each inventory, the first and its replicas."""
        return [self._settings, *self._replicas]

    def _reserve_ports(self, data: DataDir) -> tuple[dict[str, Part], ExitStack]:
        """Choose the ports that no user types; return the parts, and the reservation of all ports.

        Raises: PortTaken.
        """
        given = self.inventories
        for _ in range(_ATTEMPTS - 1):
            try:
                return self._try_to_reserve(given, data)
            except PortTaken as taken:
                # A chosen port can be taken by another process before it is reserved.
                if any(taken.port in chosen_ports.of(each) for each in given):
                    raise
        return self._try_to_reserve(given, data)

    def _try_to_reserve(self, given: Sequence[Settings], data: DataDir) -> tuple[dict[str, Part], ExitStack]:
        self._settings, *self._replicas = chosen_ports.choose(*given)
        parts = assembly.parts(
            self._settings,
            data,
            self._runtime,
            self._report,
            chosen=self._chosen,
            registration=self._registration,
            replicas=self._replicas,
            extra=self._extra,
        )
        needed = {name: port for part in parts.values() for name, port in part.ports.items()}
        return parts, ports.reserve(needed, key("port_offset"))
