"""Tiny parts in the place of the real ones."""

from collections.abc import Callable
from pathlib import Path

from dapr_local.parts.part import Part, Stage
from dapr_local.supervise.process import Process
from dapr_local.supervise.runner import Runner
from tests.unit.dapr_local.fake_release import RecordingReport
from tests.unit.dapr_local.scripts import FOREVER, runs, script


class Workshop:
    """Makes a runner of tiny parts, and keeps their processes and the order in which they ended."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.report = RecordingReport()
        self.parts: dict[str, Part] = {}
        self.made: dict[str, Process] = {}
        self.ended = folder / "ended"

    def part(
        self,
        name: str,
        stage: Stage = Stage.STORE,
        *,
        code: str = "",
        needs: frozenset[str] = frozenset(),
        ready: Callable[[], bool] | None = None,
        ready_seconds: float = 30.0,
        stop_seconds: float = 30.0,
        **ports: int,
    ) -> None:
        """A part that notes its name when it is asked to end; ready when it has said so."""
        noted = (
            "import signal, sys\n"
            f"def end(*_):\n open({str(self.ended)!r}, 'a').write({name + ' '!r}); sys.exit()\n"
            f"signal.signal(signal.SIGTERM, end)\n"
        )

        async def launch() -> Process:
            self.made[name] = script(self.folder, code or noted + FOREVER, name)
            return self.made[name]

        async def is_ready() -> bool:
            return ready() if ready else bool(self.made[name].tail())

        self.parts[name] = Part(
            name,
            stage,
            launch,
            is_ready,
            needs=needs,
            ports=ports,
            ready_seconds=ready_seconds,
            stop_seconds=stop_seconds,
        )

    def runner(self) -> Runner:
        return Runner(self.parts, self.report)

    def nothing_is_left(self) -> bool:
        """Return whether no process runs, of those that were started."""
        return bool(self.made) and not any(runs(process.pid) for process in self.made.values())
