"""The size, dependencies and abilities of each mode, found by loading it and by sending events to it.

What the SDK offers is tried on its extensions alone, used as its documents say, without what our modes add.
"""

import asyncio
import json
import sys
from collections.abc import Sequence
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import aiohttp
import grpc.aio
from dapr.proto import appcallback_service_v1
from google.protobuf.empty_pb2 import Empty

from benchmarks.compare.bare_listeners import TOKEN, bare, send
from benchmarks.compare.results import Capabilities
from dapr_hero import modes
from dapr_hero.contract.events import STORED, CloudEvent, Outcome
from dapr_hero.contract.mode import Mode
from dapr_hero.contract.routing import subscriptions
from dapr_hero.local.chosen_ports import on_free_ports
from dapr_hero.settings import Settings

_YES, _NO = "yes", "no"

# Runs in a separate interpreter; prints the modules that a mode loads in addition to those of inventory.
_LOADING = """
import json, sys
import dapr_hero.inventory.app
before = {{name.partition(".")[0] for name in sys.modules}}
import dapr_hero.modes.{}
own = [name for name in sys.modules if name.startswith("dapr_hero.modes.")]
packages = {{name.partition(".")[0] for name in sys.modules}} - before
print(json.dumps([own, sorted(packages)]))
"""


async def capabilities(mode: Mode) -> Capabilities:
    """Return the capabilities of a mode, found by experiment."""
    modes.load(mode)
    modules, packages = await _loaded(mode)
    sources = [sys.modules[name].__file__ for name in modules]
    owners = packages_distributions()
    return Capabilities(
        sum(_lines(Path(source)) for source in sources if source),
        sorted({owner for name in packages for owner in owners.get(name, [])}),
        await _abilities(mode),
    )


async def _loaded(mode: Mode) -> tuple[list[str], list[str]]:
    """Return the modules of `modes` that a mode loads, and the third-party packages that only it loads."""
    program = _LOADING.format(mode.name.lower())
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    modules, packages = json.loads(output)
    return modules, packages


def _lines(source: Path) -> int:
    """Return the number of lines that are neither blank nor comments."""
    lines = (line.strip() for line in source.read_text().splitlines())
    return sum(1 for line in lines if line and not line.startswith("#"))


async def _abilities(mode: Mode) -> dict[str, str]:
    registered = await _registration(mode)
    return {
        "routing by type, said in code": _word(any(len(each["rules"]) > 1 for each in registered)),
        "bulk, said in code": _word(any(each["bulk"] for each in registered)),
        "dead-letter topic, said in code": _word(any(each["dead"] for each in registered)),
        "awaits asynchronous handlers": _word(await _awaits(mode)),
        "rejects callers without a token": _word(await _refuses(mode)),
        "an exception of the handler becomes": await _exception(mode),
    }


def _word(able: bool) -> str:
    return _YES if able else _NO


async def _registration(mode: Mode) -> list[dict[str, Any]]:
    """Return the subscriptions that the mode reports to Dapr."""
    settings = on_free_ports(dapr_mode=mode)

    async def succeed(_: str, batch: Sequence[CloudEvent]) -> list[Outcome]:
        return [STORED] * len(batch)

    listener = await modes.load(mode).listen(settings, subscriptions(settings.topics), succeed)
    try:
        return await (_asked_by_http if mode.protocol == "http" else _asked_by_grpc)(settings)
    finally:
        await listener.stop()


async def _asked_by_http(settings: Settings) -> list[dict[str, Any]]:
    url = f"http://127.0.0.1:{settings.callback_port}/dapr/subscribe"
    async with aiohttp.ClientSession() as http, http.get(url) as answer:
        return [
            {
                "rules": each.get("routes", {}).get("rules") or [],
                "bulk": each.get("bulkSubscribe", {}).get("enabled", False),
                "dead": each.get("deadLetterTopic"),
            }
            for each in await answer.json()
        ]


async def _asked_by_grpc(settings: Settings) -> list[dict[str, Any]]:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{settings.callback_port}") as channel:
        stub = appcallback_service_v1.AppCallbackStub(channel)
        answer = await stub.ListTopicSubscriptions(Empty())
    return [
        {"rules": each.routes.rules, "bulk": each.bulk_subscribe.enabled, "dead": each.dead_letter_topic}
        for each in answer.subscriptions
    ]


async def _awaits(mode: Mode) -> bool:
    ran = False

    async def handle() -> None:
        nonlocal ran
        await asyncio.sleep(0)
        ran = True

    async with bare(mode, handle) as settings:
        await send(settings, TOKEN)
    return ran


async def _refuses(mode: Mode) -> bool:
    async def handle() -> None: ...

    async with bare(mode, handle) as settings:
        return await send(settings, "") in ("401", "UNAUTHENTICATED")


async def _exception(mode: Mode) -> str:
    async def handle() -> None:
        raise RuntimeError("tried on purpose")

    async with bare(mode, handle) as settings:
        answer = await send(settings, TOKEN)
    return "success: the event is gone" if answer in ("200", "SUCCESS") else f"{answer}, so Dapr retries"
