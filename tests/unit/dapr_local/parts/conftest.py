from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from dapr_local.data import DataDir
from dapr_local.ports import free_ports
from tests.unit.dapr_local.program import PROGRAM


@pytest.fixture
def data() -> Iterator[DataDir]:
    """A directory that PostgreSQL's account can reach, unlike pytest's own, when root runs the tests."""
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        data = DataDir.open(Path(folder) / "data", PROGRAM)
        yield data
        data.close()


@pytest.fixture
def port() -> int:
    return free_ports(1)[0]
