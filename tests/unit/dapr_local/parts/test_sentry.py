from collections.abc import Iterator
from pathlib import Path
from stat import S_IMODE

import pytest
import yaml

from dapr_local.data import DataDir
from dapr_local.parts import sentry
from dapr_local.supervise.process import Process
from tests.unit.dapr_local.program import PROGRAM


@pytest.fixture
def data(tmp_path: Path) -> Iterator[DataDir]:
    data = DataDir.open(tmp_path / "data", PROGRAM)
    yield data
    data.close()


async def launched(data: DataDir) -> Process:
    return await sentry.part(Path("sentry"), 50006, 50007, data).launch()


async def test_it_listens_on_loopback_alone(data: DataDir) -> None:
    flags = (await launched(data)).argv[1:]

    assert {"--listen-address=127.0.0.1", "--healthz-listen-address=127.0.0.1"} <= set(flags)
    assert {"--port=50006", "--healthz-port=50007", "--enable-metrics=false"} <= set(flags)


async def test_its_trust_domain_is_that_of_the_sidecars(data: DataDir) -> None:
    await launched(data)

    configuration = yaml.safe_load((data.run / "sentry.yaml").read_text())
    assert configuration["spec"]["mtls"]["controlPlaneTrustDomain"] == sentry.TRUST_DOMAIN


async def test_only_the_owner_can_read_the_keys(data: DataDir) -> None:
    await launched(data)

    folder = data.run / "credentials"
    assert S_IMODE(folder.stat().st_mode) == 0o700
    (folder / "ca.crt").write_text("a certificate")
    assert sentry.trust_anchors(data) == "a certificate"
