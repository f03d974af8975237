from pathlib import Path

from dapr_local.parts.part import Part, Stage
from dapr_local.supervise.process import Process


def test_services_stop_first_and_stores_last() -> None:
    assert sorted(Stage, reverse=True) == [Stage.SERVICE, Stage.SIDECAR, Stage.AUTHORITY, Stage.STORE]


async def test_a_part_needs_nothing_and_does_nothing_more_by_default(tmp_path: Path) -> None:
    async def launch() -> Process:
        return Process("p", ["true"], tmp_path / "log")

    async def ready() -> bool:
        return True

    part = Part("p", Stage.STORE, launch, ready)

    assert (part.needs, part.ports) == (frozenset(), {})
    await part.after_ready()
