"""The four modes: each file is one way to talk to Dapr, in both directions.

All four have the same definitions in the same order, so any two can be read side by side. The modules of
`shared` hold what several modes need.
"""

import importlib
from collections.abc import Sequence
from typing import Protocol, cast

from dapr_hero.contract.mode import Mode
from dapr_hero.contract.routing import Subscription
from dapr_hero.settings import Settings
from dapr_hero.sidecar.interface import Deliver, Listener, Sidecar


class ModeModule(Protocol):
    """The functions that every mode file defines."""

    async def connect(self, settings: Settings) -> Sidecar: ...

    async def listen(
        self, settings: Settings, subscriptions: Sequence[Subscription], deliver: Deliver
    ) -> Listener: ...


def load(mode: Mode) -> ModeModule:
    """Import and return the module of a mode; the libraries of the other modes are not loaded."""
    return cast(ModeModule, importlib.import_module(f"dapr_hero.modes.{mode.name.lower()}"))
