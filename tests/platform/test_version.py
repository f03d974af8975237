"""Downloaded or built: daprd and Sentry name their version, when asked and in each line of their logs."""

import subprocess
from pathlib import Path

import pytest

from dapr_local.install.pins import VERSION
from dapr_local.install.runtime import DaprRuntime, version_of

# Each exits at once, because its options are unusable.
REFUSED = {
    "daprd": ["--app-id=version", "--config=/absent", "--dapr-listen-addresses=127.0.0.1"],
    "sentry": ["--oidc-server-tls-cert-file=no-key"],
}


@pytest.mark.parametrize("name", REFUSED)
def test_the_version_is_named(name: str, dapr_runtime: DaprRuntime, tmp_path: Path) -> None:
    program = getattr(dapr_runtime, name)
    assert version_of(name, program) == VERSION
    done = subprocess.run([program, *REFUSED[name]], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    lines = (done.stdout + done.stderr).splitlines()
    assert len(lines) > 2
    assert [line for line in lines if f"ver={VERSION}" not in line] == []
