"""A supervised process: started in its own group, watched until it is ready, reliably terminated."""

import asyncio
import os
import signal
import sys
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from dapr_local.errors import PartDied, PartNotReady
from dapr_local.supervise import die_with_parent
from dapr_local.supervise.clean_environment import clean_environment

_TAIL_LINES = 15
_TAIL_BYTES = 16_384
_PROBE_PAUSE_SECONDS = 0.03

Probe = Callable[[], Awaitable[bool]]


@dataclass(frozen=True)
class Account:
    """The system account to which a process steps down before it runs."""

    uid: int
    gid: int


class Process:
    """One child process and its log.

    It has its own session, so that Ctrl-C in the terminal reaches only the runner, which then stops
    everything in order. On Linux the kernel sends it `orphan_signal` when the runner dies without a chance to
    stop it; elsewhere nothing does. Start it from the thread that lives longest: the kernel minds the thread.
    """

    def __init__(
        self,
        name: str,
        argv: Sequence[str | Path],
        log: Path,
        *,
        env: Mapping[str, str] | None = None,
        folder: Path = Path("/"),
        account: Account | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
        orphan_signal: signal.Signals = signal.SIGKILL,
    ) -> None:
        """`env` is added to the clean environment; the output of all runs is appended to `log`.

        `folder` is the working directory. It is not the runner's: a module in there could take the place of
        Python's own, or it may be gone.
        """
        self.name = name
        self.log = log
        self.argv = argv
        self.env = env
        self.folder = folder
        self._account = account
        self._stop_signal = stop_signal
        self._orphan_signal = orphan_signal
        self._log_start = 0
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        """The process id, also after the end; None before the start."""
        return self._process.pid if self._process else None

    @property
    def running(self) -> bool:
        """Return whether it was started and has not ended."""
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Start it. A program that cannot be executed exits with code 127, with the reason in its log."""
        with self.log.open("ab") as output:
            self._log_start = output.tell()
            self._process = await asyncio.create_subprocess_exec(
                *self._bound(),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self.folder,
                env={**clean_environment(), **(self.env or {})},
                start_new_session=True,
            )

    async def wait(self) -> int:
        """Wait for the end; the exit code, or minus the signal that ended it."""
        if self._process is None:
            raise RuntimeError(f"{self.name} was not started")
        return await self._process.wait()

    async def run(self) -> None:
        """Start it and wait for its good end. Raises: PartDied when the exit code is not 0."""
        try:
            await self.start()
            if await self.wait() != 0:
                raise self.death()
        finally:
            await self.stop()

    async def wait_ready(self, check: Probe, deadline: float) -> None:
        """Poll `check` until it is true, for at most `deadline` seconds.

        Raises: PartDied at once when the process ends, PartNotReady after the deadline.
        """
        ended = asyncio.ensure_future(self.wait())
        ready = asyncio.ensure_future(_until(check))
        try:
            done, _ = await asyncio.wait(
                {ended, ready}, timeout=deadline, return_when=asyncio.FIRST_COMPLETED
            )
            if ended in done:
                raise self.death()
            if not done:
                raise PartNotReady(self.name, f"is not ready after {deadline:g} s", self._last_words())
            ready.result()
        finally:
            ended.cancel()
            ready.cancel()
            await asyncio.gather(ended, ready, return_exceptions=True)

    async def stop(self, deadline: float = 10.0) -> None:
        """Ask it to end; after `deadline` seconds, and in any case for what it left in its group, SIGKILL."""
        if self._process is None:
            return
        if self.running:
            with suppress(ProcessLookupError):
                self._process.send_signal(self._stop_signal)
            with suppress(TimeoutError):
                async with asyncio.timeout(deadline):
                    await self._process.wait()
        self.kill()
        await self._process.wait()

    def kill(self) -> None:
        """SIGKILL to its whole group, and to its descendants that have left the group, as PostgreSQL's do."""
        if self._process is None:
            return
        descendants = _descendants(self._process.pid) if self.running else []
        # macOS answers PermissionError for a group that has only zombies left.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        for descendant in descendants:
            with suppress(psutil.Error):
                descendant.kill()

    def tail(self, lines: int = _TAIL_LINES) -> list[str]:
        """Return the last lines that this run wrote to its log."""
        try:
            with self.log.open("rb") as log:
                end = log.seek(0, os.SEEK_END)
                log.seek(max(self._log_start, end - _TAIL_BYTES))
                text = log.read().decode(errors="replace")
        except OSError:
            return []
        return list(deque((line for line in text.splitlines() if line.strip()), maxlen=lines))

    def death(self) -> PartDied:
        """Return the error that says how it ended, with its last lines."""
        code = (self._process.returncode if self._process else None) or 0
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"exited with code {code}"
        return PartDied(self.name, how, self._last_words())

    def _bound(self) -> list[str | Path]:
        account = (str(self._account.uid), str(self._account.gid)) if self._account else ("", "")
        parent, signum = str(os.getpid()), str(int(self._orphan_signal))
        # Isolated and without site-packages: it costs 15 ms, and no module of the working directory gets in.
        return [sys.executable, "-I", "-S", die_with_parent.__file__, parent, signum, *account, *self.argv]

    def _last_words(self) -> str:
        lines = self.tail()
        if not lines:
            return f"; its log is empty: {self.log}"
        return "\n  ".join([f"; the end of {self.log}:", *lines])


def _descendants(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.Error:
        return []


async def _until(check: Probe) -> None:
    while not await check():
        await asyncio.sleep(_PROBE_PAUSE_SECONDS)
