"""The cluster that the tests of this folder have."""

import pytest

from dapr_hero.cluster import kubectl
from tests.unit.cluster.fake_cluster import FakeCluster


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> FakeCluster:
    fake = FakeCluster()
    monkeypatch.setattr(kubectl, "run", fake.run)
    return fake
