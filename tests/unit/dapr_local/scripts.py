"""Tiny Python programs as processes, and what tells whether they still run."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from dapr_local.supervise.process import Process

# Prints, and then lasts until it is ended.
FOREVER = "import time; print('up', flush=True); time.sleep(600)"


def script(folder: Path, code: str, name: str = "part", **options: Any) -> Process:
    """A process that runs the code; its log is in the folder."""
    return Process(name, [sys.executable, "-c", code], folder / f"{name}.log", **options)


def has_said(process: Process, word: str) -> Callable[[], bool]:
    """A question: whether its log has the word."""
    return lambda: word in process.log.read_text()


def runs(pid: int | None) -> bool:
    """Return whether the process exists and is not a zombie."""
    try:
        return pid is not None and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def until(look: Callable[[], object], seconds: float = 10.0) -> None:
    """Wait for what `look` asks; fails after the deadline."""
    async with asyncio.timeout(seconds):
        while not look():
            await asyncio.sleep(0.01)
