"""The table of `dapr-hero k8s status`; tests/unit/cluster/test_deployment.py has the whole commands."""

import pytest
from typer.testing import CliRunner

from dapr_hero.cli import k8s
from dapr_hero.cluster import status
from dapr_hero.cluster.status import Pod


def test_each_pod_is_a_row_and_untrusted_text_is_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    pods = [
        Pod("dapr-hero-products", "products", "products-1", "1/2", "waiting\x1b[2J", 3, "", ""),
        Pod("dapr-hero", "valkey", "valkey-0", "1/1", "Running", 0, "", ""),
    ]
    monkeypatch.setattr(status, "pods", lambda: pods)
    monkeypatch.setattr(status, "mode", lambda: "sdk-grpc")
    monkeypatch.setattr(status, "addresses", lambda: {"inventory": "http://10.0.0.1:3000"})
    monkeypatch.setenv("COLUMNS", "160")

    output = CliRunner().invoke(k8s.app, ["status"]).output

    assert output.index("valkey-0") < output.index("products-1")
    assert "waiting\\u001b[2J" in output
    assert "sdk-grpc" in output
    assert "http://10.0.0.1:3000" in output
