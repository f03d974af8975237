"""The cost of processes: CPU seconds, with those of their children, and resident memory."""

from collections.abc import Mapping
from contextlib import suppress

import psutil


class Meter:
    """Reads the accounts that the kernel keeps of these processes anyway."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._processes = {name: psutil.Process(pid) for name, pid in pids.items()}

    def cpu_seconds(self) -> dict[str, float]:
        """User and system time since the start of each; in steps of 10 ms on Linux."""
        return {name: sum(map(_seconds, _tree(process))) for name, process in self._processes.items()}

    def rss_mib(self) -> dict[str, float]:
        """Resident memory of each, without its children: PostgreSQL's share theirs."""
        return {name: process.memory_info().rss / 2**20 for name, process in self._processes.items()}


def _tree(process: psutil.Process) -> list[psutil.Process]:
    return [process, *process.children(recursive=True)]


def _seconds(process: psutil.Process) -> float:
    """Of children that have ended too, which their parent has inherited; those that live count themselves."""
    with suppress(psutil.NoSuchProcess):
        times = process.cpu_times()
        ended = getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0)
        return float(times.user + times.system + ended)
    return 0.0
