"""A service that is ready in each mode."""

import asyncio
import gc
import sys

import pytest

from dapr_hero.inventory import app
from dapr_hero.service import logs
from dapr_hero.settings import Settings
from dapr_local.parts import readiness
from tests.conformance.fake_sidecar import FakeSidecar


async def test_its_imports_are_exempt_from_garbage_collection(
    settings: Settings, fake: FakeSidecar, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full collection of them would halt every request; the SDK alone brings some ten thousand objects."""
    monkeypatch.setattr(logs, "configure", lambda *_: None)
    gc.unfreeze()
    quick = settings.model_copy(update={"unready_seconds": 0})
    serving = asyncio.create_task(app.serve(quick))
    try:
        async with asyncio.timeout(20):
            while not await readiness.http(f"http://127.0.0.1:{quick.inventory_port}/readyz"):
                assert not serving.done()
                await asyncio.sleep(0.01)
        assert sys.modules[f"dapr_hero.modes.{quick.dapr_mode.value.replace('-', '_')}"]
        assert gc.get_freeze_count() > len(gc.get_objects())
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        gc.unfreeze()
