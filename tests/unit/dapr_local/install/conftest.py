from collections.abc import Iterator

import pytest

from tests.unit.dapr_local.fake_release import RecordingReport, ReleaseServer, release_server


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")


@pytest.fixture
def server() -> Iterator[ReleaseServer]:
    with release_server() as running:
        yield running


@pytest.fixture
def report() -> RecordingReport:
    return RecordingReport()
