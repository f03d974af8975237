"""A look into Valkey behind Dapr's back, for what Dapr's API does not show."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from valkey import Valkey

from dapr_hero.local.data import location
from dapr_hero.settings import Settings


@contextmanager
def broker(settings: Settings) -> Iterator[Valkey]:
    password = json.loads((location(settings) / "secrets.json").read_text())["valkey"]["password"]
    with Valkey(host="127.0.0.1", port=settings.valkey_port, password=password) as valkey:
        yield valkey


def queue(settings: Settings, topic: str, batch: Sequence[bytes]) -> None:
    """Put events into a topic all at once, as they are."""
    with broker(settings) as valkey:
        pipeline: Any = valkey.pipeline(transaction=False)
        for each in batch:
            pipeline.xadd(topic, {"data": each})
        pipeline.execute()
