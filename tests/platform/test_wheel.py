"""The wheel outside any checkout: the command and the fixtures run in an empty environment."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from dapr_hero.local.chosen_ports import on_free_ports
from dapr_local.install.runtime import DaprRuntime

ROOT = Path(__file__).parents[2]
UV = Path(sys.prefix) / "bin" / "uv"

CONFTEST = 'pytest_plugins = ["dapr_hero.testing"]\n'
TEST = """
from dapr_hero.testing import RunningPlatform, eventually

def test_an_event_becomes_an_item(platform: RunningPlatform) -> None:
    platform.publish(
        {
            "specversion": "1.0", "id": "1", "source": "me", "type": "widget.v1",
            "datacontenttype": "application/json",
            "data": {"id": "w", "description": "from a wheel", "price": 1},
        }
    )
    eventually(lambda: platform.get("/v1/widgets/w").status_code == 200)
"""


def run(*command: str | Path, folder: Path, **variables: str) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout


def build(folder: Path, **variables: str) -> Path:
    variables["SOURCE_DATE_EPOCH"] = "1767225600"
    run(UV, "build", "--quiet", "--wheel", "--out-dir", folder, folder=ROOT, **variables)
    [wheel] = folder.glob("*.whl")
    return wheel


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    return build(tmp_path / "dist")


def test_the_same_source_gives_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    again = build(tmp_path / "again")
    assert hashlib.sha256(again.read_bytes()).digest() == hashlib.sha256(wheel.read_bytes()).digest()


def test_the_wheel_names_the_repository_that_built_it(tmp_path: Path) -> None:
    wheel = ZipFile(build(tmp_path, REPOSITORY_URL="https://forge.example/me/dapr-hero"))
    [metadata] = [name for name in wheel.namelist() if name.endswith("/METADATA")]
    assert "Project-URL: Issues, https://forge.example/me/dapr-hero/issues\n" in wheel.read(metadata).decode()


def test_an_empty_environment_runs_the_command_and_the_fixtures(
    wheel: Path, tmp_path: Path, dapr_runtime: DaprRuntime, data_dir: Path
) -> None:
    # PostgreSQL's account has to enter the environment, which pytest keeps from others.
    environment = data_dir.parent / "environment"
    run(UV, "venv", "--quiet", "--python", sys.executable, environment, folder=tmp_path)
    python = environment / "bin" / "python"
    constraints = ROOT / "requirements/dev.txt"
    packages: list[str | Path] = [f"{wheel}[testing]", "--constraint", constraints]
    run(UV, "pip", "install", "--quiet", "--python", python, *packages, folder=tmp_path)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "conftest.py").write_text(CONFTEST)
    (outside / "test_mine.py").write_text(TEST)
    settings = on_free_ports(daprd_path=dapr_runtime.daprd, sentry_path=dapr_runtime.sentry)

    assert "dapr-hero 0." in run(environment / "bin/dapr-hero", "--version", folder=outside)
    output = run(python, "-m", "pytest", "-q", folder=outside, **settings.environment())

    assert "1 passed" in output
