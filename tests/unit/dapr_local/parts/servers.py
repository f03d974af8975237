"""Real servers as parts: start one, and look at what it shows."""

import psutil

from dapr_local.parts.part import Part
from dapr_local.supervise.process import Process


async def up(part: Part) -> Process:
    process = await part.launch()
    await process.start()
    await process.wait_ready(part.ready, part.ready_seconds)
    await part.after_ready()
    return process


def shown(process: Process) -> str:
    """Return all that other users of the machine can read of it, and its log."""
    return " ".join([*psutil.Process(process.pid).cmdline(), process.log.read_text()])


def addresses(process: Process) -> set[str]:
    return {c.laddr.ip for c in psutil.Process(process.pid).net_connections() if c.status == "LISTEN"}
