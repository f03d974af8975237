"""Restarts the parts of a runner that die, each on its own."""

import asyncio
import time
from collections import defaultdict, deque
from typing import NoReturn

from dapr_local.errors import LocalError, PartDied
from dapr_local.progress import Report
from dapr_local.supervise.runner import Runner

FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 5.0
MAX_DEATHS = 5
WINDOW_SECONDS = 60.0


class Supervisor:
    """Restarts a part after each death, with longer and longer pauses.

    The other parts keep running: a sidecar and a service wait for each other, and all of them reconnect to
    a store or to Sentry. A part that keeps dying is given up, and the whole run with it.
    """

    def __init__(self, runner: Runner, report: Report) -> None:
        self._runner = runner
        self._report = report
        self._deaths: dict[str, deque[float]] = defaultdict(deque)

    async def run(self) -> NoReturn:
        """Restart parts until cancelled.

        Raises: LocalError, with the last lines of its log, for a part that has died five times in a minute.
        """
        restarts: set[asyncio.Task[None]] = set()
        dying = asyncio.ensure_future(self._runner.death())
        try:
            while True:
                done, _ = await asyncio.wait({dying, *restarts}, return_when=asyncio.FIRST_COMPLETED)
                for task in done & restarts:
                    restarts.discard(task)
                    task.result()
                if dying in done:
                    restarts.add(asyncio.create_task(self._restart(dying.result())))
                    dying = asyncio.ensure_future(self._runner.death())
        finally:
            for each in (dying, *restarts):
                each.cancel()
            await asyncio.gather(dying, *restarts, return_exceptions=True)

    async def _restart(self, death: PartDied) -> None:
        """Start the part of this death again, as often as it takes."""
        name = death.name
        while True:
            pause = self._pause_after(death)
            self._report.say(f"{name} {death.how}; restarting it in {pause:.1f} s")
            await asyncio.sleep(pause)
            try:
                return await self._runner.start(name)
            except PartDied as again:
                death = again

    def _pause_after(self, death: PartDied) -> float:
        """Return the seconds until the restart. Raises: LocalError if there have been too many deaths."""
        deaths, now = self._deaths[death.name], time.monotonic()
        while deaths and deaths[0] < now - WINDOW_SECONDS:
            deaths.popleft()
        deaths.append(now)
        if len(deaths) >= MAX_DEATHS:
            raise LocalError(
                f"{death.name} died {len(deaths)} times in {WINDOW_SECONDS:.0f} s. The last time, {death}"
            )
        return min(FIRST_PAUSE_SECONDS * 2.0 ** (len(deaths) - 1), LONGEST_PAUSE_SECONDS)
