"""Runs in the visitor's pod: publishes events and reads items for some seconds, and prints what came of it.

Arguments: seconds, events a second, prefix of the items' ids.
"""

import asyncio
import json
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp

PUBLISH = "http://127.0.0.1:3500/v1.0/publish/pubsub/inventory"
INVENTORY = "http://inventory.dapr-hero-inventory.svc.cluster.local:3000"
KINDS = {"widgets": "widget.v1", "gadgets": "gadget.v1", "products": "thingamajig.v1"}
ITEMS = 20
READERS = 4
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)

SECONDS, RATE, PREFIX = float(sys.argv[1]), float(sys.argv[2]), sys.argv[3]

newest: dict[str, int] = {}
errors: list[str] = []
reads = 0


async def main() -> None:
    # A connection for each read, so that each of them is balanced separately.
    connector = aiohttp.TCPConnector(force_close=True)
    timeout = aiohttp.ClientTimeout(total=15)
    async with (
        aiohttp.ClientSession(timeout=timeout) as out,
        aiohttp.ClientSession(connector=connector, timeout=timeout) as rest,
    ):
        await asyncio.gather(publish(out), *(read(rest) for _ in range(READERS)))
    json.dump({"newest": newest, "reads": reads, "errors": errors}, sys.stdout)


async def publish(http: aiohttp.ClientSession) -> None:
    began, number = time.monotonic(), 0
    while time.monotonic() < began + SECONDS:
        await asyncio.sleep(max(0.0, began + number / RATE - time.monotonic()))
        resource = list(KINDS)[number % len(KINDS)]
        id = f"{PREFIX}-{number // len(KINDS) % ITEMS}"
        await publish_one(http, event(KINDS[resource], id, number))
        newest[f"{resource}/{id}"] = number
        number += 1


async def publish_one(http: aiohttp.ClientSession, whole: dict[str, Any]) -> None:
    """Until it is acknowledged: what is not, is not promised."""
    while True:
        async with http.post(
            PUBLISH, json=whole, headers={"content-type": "application/cloudevents+json"}
        ) as answer:
            if answer.status == 204:
                return
        await asyncio.sleep(0.05)


def event(type: str, id: str, number: int) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": f"{PREFIX}-{number}",
        "source": "visitor",
        "type": type,
        "time": (EPOCH + timedelta(seconds=number)).isoformat(),
        "datacontenttype": "application/json",
        "data": {"id": id, "description": "under load", "price": number},
    }


async def read(http: aiohttp.ClientSession) -> None:
    global reads
    ends, number = time.monotonic() + SECONDS, 0
    while time.monotonic() < ends:
        resource = list(KINDS)[number % len(KINDS)]
        try:
            async with http.get(f"{INVENTORY}/v1/{resource}/{PREFIX}-{number % ITEMS}") as answer:
                if answer.status not in (200, 404):
                    errors.append(f"{answer.status} {await answer.text()}")
        except (aiohttp.ClientError, TimeoutError) as error:
            errors.append(repr(error))
        reads += 1
        number += 1
        await asyncio.sleep(0.02)


asyncio.run(main())
