"""A look into Valkey behind Dapr's back, for what Dapr's API does not show."""

import json
from collections.abc import Iterator
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


def dead_letters(settings: Settings) -> list[dict[str, Any]]:
    """The events in the dead-letter topic; what is no JSON object is left out."""
    with broker(settings) as valkey:
        entries: Any = valkey.xrange(settings.dead_letter_topic)
    return [json.loads(fields[b"data"]) for _, fields in entries if fields[b"data"].startswith(b"{")]
