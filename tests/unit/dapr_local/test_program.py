import os
from pathlib import Path

import pytest

from tests.unit.dapr_local.program import PROGRAM


def test_a_variable_has_the_prefix() -> None:
    assert PROGRAM.variable("DATA_DIR") == "ORDERS_DATA_DIR"


def test_the_folders_are_those_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    monkeypatch.setenv("XDG_CACHE_HOME", "/cache")
    if os.uname().sysname == "Linux":
        assert PROGRAM.cache == Path("/cache/orders")
        assert os.geteuid() == 0 or PROGRAM.state == Path("/state/orders")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to step down")
def test_no_other_account_has_to_enter_the_home_of_root() -> None:
    for folder in (PROGRAM.state, PROGRAM.shared_cache):
        assert not folder.is_relative_to(Path.home())
