"""`dapr-hero up` among stale files and in odd folders: it starts, or says in one line what to do."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from dapr_hero.local.chosen_ports import on_free_ports
from dapr_hero.local.program import PROGRAM
from dapr_hero.settings import Settings
from dapr_hero.testing import eventually
from dapr_local.install import collector
from dapr_local.install.runtime import DaprRuntime


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that PostgreSQL's account can enter, unlike pytest's own, when root runs the tests."""
    with tempfile.TemporaryDirectory(prefix="dapr-hero-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
def settings(dapr_runtime: DaprRuntime, place: Path) -> Settings:
    return on_free_ports(
        data_dir=place / "data", daprd_path=dapr_runtime.daprd, sentry_path=dapr_runtime.sentry
    )


def up(
    settings: Settings,
    *,
    env: Mapping[str, str | None] | None = None,
    umask: int = -1,
    cwd: Path | None = None,
    before: str = "",
) -> tuple[int, str]:
    """Start the platform, stop it once it is ready; return its exit code and output."""
    whole = {**os.environ, **settings.environment(), **(env or {})}
    program = f"{before}; from dapr_hero.__main__ import main; import sys; sys.argv[1:] = ['up']; main()"
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", program.removeprefix("; ")],
            env={name: value for name, value in whole.items() if value is not None},
            umask=umask,
            cwd=cwd,
            stdout=output,
            stderr=subprocess.STDOUT,
        )

        def text() -> str:
            output.seek(0)
            return output.read()

        try:
            eventually(lambda: "Ctrl-C stops" in text() or process.poll() is not None, seconds=90)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
            process.wait(60)
        return process.returncode, text()


# Each of these has stopped a part once: in a list of paths, a configuration line or a template.
ODD = "a b,c'd\"e\\f é日 ${HOME} %h #x -c y=z"


def test_odd_folders_and_stale_files_do_not_keep_it_from_starting(settings: Settings, place: Path) -> None:
    odd = settings.model_copy(update={"data_dir": place / ODD})
    # To build the Collector for the empty cache would take a minute.
    path = f"{collector.Sources(PROGRAM).cached.parent}:{os.environ['PATH']}"
    code, text = up(odd, umask=0o077, env={"XDG_CACHE_HOME": str(place / "cache"), "PATH": path})
    assert code == 0, text

    lock = place / ODD / "postgres" / "cluster" / "postmaster.pid"
    lock.write_text("")  # a crash of the machine
    code, text = up(odd, env={"HOME": None})
    assert code == 0, text

    lock.write_text(f"{os.getpid()}\n")  # another process has this id by now
    gone = place / "gone"
    gone.mkdir()
    code, text = up(odd, cwd=gone, before="import os; os.rmdir(os.getcwd())")
    assert code == 0, text


def test_a_cache_that_cannot_be_written_is_one_line(settings: Settings, place: Path) -> None:
    (place / "cache").write_text("not a folder")
    own = settings.model_copy(update={"daprd_path": None, "sentry_path": None})
    bare = {"XDG_CACHE_HOME": str(place / "cache"), "PATH": "/usr/bin:/bin", "HOME": str(place)}
    code, text = up(own, env=bare)
    assert code == 1
    assert text.splitlines()[-1].startswith("error: ")
    assert str(place / "cache") in text.splitlines()[-1]
    assert "Traceback" not in text


@pytest.mark.parametrize("kind", ["file", "foreign", "below a file"])
def test_a_data_directory_that_cannot_be_used_is_one_line(settings: Settings, place: Path, kind: str) -> None:
    path = place / "data"
    if kind == "foreign":
        path.mkdir()
        (path / "thesis.txt").write_text("precious")
    else:
        path.write_text("precious")
    chosen = path / "below" if kind == "below a file" else path
    code, text = up(settings.model_copy(update={"data_dir": chosen}))
    assert code == 1
    error = text.splitlines()[-2 if "nothing is left" in text.splitlines()[-1] else -1]
    assert error.startswith("error: ") or text.splitlines()[-1].startswith("error: ")
    assert "DAPR_HERO_DATA_DIR" in text
    assert "Traceback" not in text
