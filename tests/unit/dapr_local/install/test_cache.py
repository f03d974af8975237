"""A folder of the cache belongs to one process at a time."""

from pathlib import Path

import pytest

from dapr_local.install.cache import alone_in, machine
from tests.unit.dapr_local.fake_release import RecordingReport


def test_the_remains_of_an_interrupted_process_are_removed(tmp_path: Path, report: RecordingReport) -> None:
    (tmp_path / "work-left").mkdir()
    with alone_in(tmp_path, report) as work:
        assert work.parent == tmp_path
        assert {path.name for path in tmp_path.iterdir()} == {".lock", work.name}
    assert not work.exists()


@pytest.mark.parametrize(
    ("name", "expected"), [("x86_64", "amd64"), ("AARCH64", "arm64"), ("riscv64", "riscv64")]
)
def test_a_machine_has_the_name_that_releases_give_it(
    monkeypatch: pytest.MonkeyPatch, name: str, expected: str
) -> None:
    monkeypatch.setattr("platform.machine", lambda: name)

    assert machine()[1] == expected
