"""The chaos suite in short: one mode, a few faults. In full: `make chaos`."""

import pytest

from dapr_hero.contract.mode import Mode
from dapr_local.install.runtime import DaprRuntime
from tests.chaos import faults
from tests.chaos.trial import Trial


def test_nothing_is_lost_while_parts_are_killed(dapr_runtime: DaprRuntime) -> None:
    killed = faults.plan(seed=1, rounds=1, parts=["inventory", "valkey", "products-daprd"])
    account = Trial(Mode.SDK_GRPC, 1, killed).run(dapr_runtime, lambda _: None)
    assert account.good, account
    assert account.stored + account.dead_letters == account.published
    assert account.dead_letters > 0


def test_a_plan_can_be_run_again() -> None:
    assert faults.plan(7, 3) == faults.plan(7, 3)
    assert faults.plan(7, 3) != faults.plan(8, 3)
    assert {fault.part for fault in faults.plan(7, 1)} == set(faults.PARTS)


pytestmark = pytest.mark.timeout(300)
