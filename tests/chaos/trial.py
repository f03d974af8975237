"""One trial: a platform in one mode, load, faults, and the account at the end."""

import asyncio
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2 as httpx
import msgspec

from dapr_hero.client.dead_letters import DeadLettersClient
from dapr_hero.contract.dead_letter import DeadLetterState
from dapr_hero.contract.mode import Mode
from dapr_hero.local.chosen_ports import on_free_ports
from dapr_hero.settings import Settings
from dapr_hero.testing import RunningPlatform, start_platform
from dapr_local.install.runtime import DaprRuntime
from dapr_local.progress import Advance
from tests.chaos.faults import Fault
from tests.events import event
from tests.load import TYPES, Ledger, Load, differences, streaming
from tests.platform.stores import counts

# Longer than any event may need: Dapr looks for unacknowledged ones after 30 s, and every 5 s from then on.
_DEADLINE_SECONDS = 90.0


class Recovery(msgspec.Struct):
    """A fault, and when events of every type went through again."""

    part: str
    outage_seconds: float
    recovery_seconds: float | None
    """From the restart on; None: not before the deadline."""


class Account(msgspec.Struct):
    """The result of a trial, in events and seconds."""

    mode: str
    seed: int
    events_per_second: float
    published: int
    refused: int
    """Attempts to publish that got no acknowledgement, and were repeated."""
    stored: int
    dead_letters: int
    lost: int
    duplicates: int
    """Duplicate letters, letters that no malformed event explains, and items that were never published."""
    settled_seconds: float
    """From the last publication until everything was in its place."""
    recoveries: list[Recovery]
    dead_parts: list[str]
    """Parts that ended without being killed."""

    @property
    def good(self) -> bool:
        recovered = all(each.recovery_seconds is not None for each in self.recoveries)
        return not self.lost and not self.duplicates and not self.dead_parts and recovered


@dataclass(frozen=True)
class Trial:
    mode: Mode
    seed: int
    faults: Sequence[Fault]
    rate: float = 200.0
    deadline_seconds: float = _DEADLINE_SECONDS

    def run(self, runtime: DaprRuntime, advance: Advance) -> Account:
        """Raises: LocalError when the platform cannot be started."""
        with fresh_platform(self.mode, runtime) as platform:
            settings = platform.settings
            load = Load(self.seed, self.rate, prefix="chaos", fresh_share=0.5, bad_share=0.02)
            recoveries = []
            with streaming([settings.dapr_http_port], settings, load) as ledger:
                for number, fault in enumerate(self.faults):
                    recoveries.append(_suffer(platform, fault, number, ledger))
                    advance(1)
            return self._account(platform, ledger, recoveries)

    def _account(self, platform: RunningPlatform, ledger: Ledger, recoveries: list[Recovery]) -> Account:
        began = time.monotonic()
        lost, letters = _settle(platform.settings, ledger, self.deadline_seconds)
        settled = time.monotonic() - began
        expected = Counter(resource for resource, _ in ledger.newest)
        too_many = sum((counts(platform.settings) - expected).values())
        return Account(
            mode=self.mode.value,
            seed=self.seed,
            events_per_second=self.rate,
            published=ledger.published,
            refused=ledger.refusals,
            stored=ledger.good - lost,
            dead_letters=letters.total(),
            lost=lost + len(ledger.bad - letters.keys()),
            duplicates=too_many + (letters - Counter(ledger.bad)).total(),
            settled_seconds=settled,
            recoveries=recoveries,
            dead_parts=platform.dead,
        )


@contextmanager
def fresh_platform(mode: Mode, runtime: DaprRuntime) -> Iterator[RunningPlatform]:
    """A platform whose data is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="dapr-hero-") as folder:
        Path(folder).chmod(0o755)
        settings = on_free_ports(dapr_mode=mode, data_dir=Path(folder) / "data")
        with start_platform(settings, runtime, fresh=True) as platform:
            yield platform


def _suffer(platform: RunningPlatform, fault: Fault, number: int, ledger: Ledger) -> Recovery:
    time.sleep(fault.pause_seconds)
    platform.kill(fault.part)
    time.sleep(fault.outage_seconds)
    began = time.monotonic()
    platform.start(fault.part)
    deadline = began + _DEADLINE_SECONDS
    recovered = all(_goes_through(platform, kind, f"sentinel-{number}", deadline, ledger) for kind in TYPES)
    seconds = time.monotonic() - began if recovered else None
    return Recovery(fault.part, fault.outage_seconds, seconds)


def _goes_through(platform: RunningPlatform, kind: str, id: str, deadline: float, ledger: Ledger) -> bool:
    """Return whether a new event is acknowledged and stored before the deadline."""
    whole = event(TYPES[kind], id, price=1)
    while time.monotonic() < deadline:
        try:
            if (kind, id) not in ledger.newest:
                platform.publish(whole)
                ledger.newest[kind, id] = 1
                ledger.good += 1
            if platform.get(f"/v1/{kind}/{id}").status_code == 200:
                return True
        except httpx.HTTPError:
            pass
        time.sleep(0.02)
    return False


def _settle(settings: Settings, ledger: Ledger, deadline_seconds: float) -> tuple[int, Counter[Any]]:
    """Wait until every event is accounted for, or for the deadline; return the missing items, and the letters."""
    deadline = time.monotonic() + deadline_seconds
    missing = dict(ledger.newest)
    while True:
        missing = {each.key: each.expected for each in differences(settings, missing)}
        letters = asyncio.run(_letters(settings))
        if (not missing and letters.keys() >= ledger.bad) or time.monotonic() > deadline:
            return len(missing), letters
        time.sleep(0.2)


async def _letters(settings: Settings) -> Counter[Any]:
    """Return the number of dead letters of each event, by its id."""
    found: Counter[Any] = Counter()
    async with DeadLettersClient(settings) as client:
        after = None
        while True:
            page = await client.page(DeadLetterState.KEPT, 1000, after)
            found.update(letter.event_id for letter in page.letters)
            after = page.next
            if not after:
                return found
