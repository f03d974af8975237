"""Sentry's arguments, its files and its readiness."""

from pathlib import Path

import pytest
import yaml

from dapr_local.data import DataDir
from dapr_local.parts import sentry
from dapr_local.parts.part import Stage
from dapr_local.ports import free_ports
from tests.unit.dapr_local.fake_release import release_server
from tests.unit.dapr_local.parts.test_daprd import flags
from tests.unit.dapr_local.program import PROGRAM

BINARY = Path("/somewhere/sentry")


async def test_it_listens_where_it_is_told_and_on_loopback_only(data: DataDir) -> None:
    part = sentry.part(BINARY, 50006, 8081, data)
    process = await part.launch()

    assert (part.name, part.stage) == ("sentry", Stage.AUTHORITY)
    assert (process.argv[0], process.log) == (BINARY, data.log("sentry"))
    assert flags(process) == {
        "mode": "standalone",
        "config": str(data.run / "sentry.yaml"),
        "trust-domain": "public",
        "issuer-credentials": str(data.run / "credentials"),
        "listen-address": "127.0.0.1",
        "port": "50006",
        "healthz-port": "8081",
        "healthz-listen-address": "127.0.0.1",
        "enable-metrics": "false",
    }


async def test_its_configuration_has_mtls_in_the_same_trust_domain(data: DataDir) -> None:
    process = await sentry.part(BINARY, 50006, 8081, data).launch()

    whole = yaml.safe_load((data.run / "sentry.yaml").read_text())
    assert whole["kind"] == "Configuration"
    assert whole["spec"]["mtls"]["enabled"] is True
    assert whole["spec"]["mtls"]["controlPlaneTrustDomain"] == flags(process)["trust-domain"]


async def test_only_its_user_may_enter_the_folder_of_the_authority(data: DataDir) -> None:
    part = sentry.part(BINARY, 50006, 8081, data)
    await part.launch()

    folder = data.run / "credentials"
    assert folder.stat().st_mode & 0o777 == 0o700
    (folder / "ca.crt").write_text("a certificate")
    await part.launch()  # as it does when it starts again in the same run
    assert sentry.trust_anchors(data) == "a certificate"


async def test_each_run_has_a_new_authority(data: DataDir) -> None:
    await sentry.part(BINARY, 50006, 8081, data).launch()
    (data.run / "credentials" / "ca.crt").write_text("an old certificate")
    data.close()

    later = DataDir.open(data.root, PROGRAM)
    await sentry.part(BINARY, 50006, 8081, later).launch()
    assert list((later.run / "credentials").iterdir()) == []
    with pytest.raises(FileNotFoundError):
        sentry.trust_anchors(later)
    later.close()


async def test_it_is_ready_once_its_health_says_so(data: DataDir) -> None:
    port, health_port = free_ports(2)
    assert not await sentry.part(BINARY, port, health_port, data).ready()
    with release_server() as server:
        part = sentry.part(BINARY, port, server.server_port, data)
        server.statuses["/healthz"] = 500
        assert not await part.ready()
        server.statuses["/healthz"] = 200
        assert await part.ready()
