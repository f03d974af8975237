"""A backlog in the broker: events that wait for inventory, and how far it has got with them."""

import json
from itertools import islice
from typing import Any

from valkey.asyncio import Valkey

from benchmarks.compare import workloads
from benchmarks.compare.workloads import Workload
from dapr_hero.client import platform
from dapr_hero.contract.kinds import KINDS
from dapr_hero.settings import Settings
from dapr_local.progress import Report

_AT_ONCE = 1000


class Backlog:
    """The backlog of the events' topic. Fill it while its consumer is stopped."""

    def __init__(self, valkey: Valkey, settings: Settings, patterns: dict[str, dict[str, Any]]) -> None:
        """Use `learnt`."""
        self._valkey = valkey
        self._topic = settings.pubsub_topic
        self._group = settings.inventory_app_id
        self._patterns = patterns

    @classmethod
    async def learnt(cls, valkey: Valkey, settings: Settings, report: Report) -> "Backlog":
        """Publish one event of each kind through daprd, to see what daprd makes of it in the broker."""
        patterns = {}
        for kind in KINDS:
            sample = workloads.encoded(kind, f"pattern-{kind.name}")
            await platform.publish(settings, iter([sample]), 1, report)
            [(_, fields)] = await valkey.xrevrange(settings.pubsub_topic, count=1)
            patterns[kind.type] = json.loads(fields[b"data"])
        return cls(valkey, settings, patterns)

    async def fill(self, workload: Workload) -> None:
        """Make the topic hold these events and no other, each as daprd would have put it there."""
        await self._valkey.xtrim(self._topic, maxlen=0, approximate=False)
        events = workload.events()
        while some := list(islice(events, _AT_ONCE)):
            async with self._valkey.pipeline(transaction=False) as pipeline:
                for event in some:
                    whole = {**self._patterns[str(event["type"])], **event}
                    pipeline.xadd(self._topic, {"data": json.dumps(whole), "metadata": "{}"})
                await pipeline.execute()

    async def left(self) -> int:
        """Return the number of events that inventory has not acknowledged yet."""
        [group] = [
            each
            for each in await self._valkey.xinfo_groups(self._topic)
            if each["name"].decode() == self._group
        ]
        return int(group["lag"] + group["pending"])
