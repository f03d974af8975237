"""docs/tutorial.md, executed block by block on the real platform."""

import os
import sys
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest
from platformdirs import user_cache_path

from dapr_hero.local.chosen_ports import on_free_ports
from dapr_hero.testing import eventually
from dapr_local.install.runtime import DaprRuntime
from tests.platform.documents import MAKEFLAGS, Terminal, blocks

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/tutorial.md"
# A stalled PostgreSQL holds up the first widgets for some seconds.
SECONDS = 60


@pytest.fixture
def terminal(tmp_path: Path, dapr_runtime: DaprRuntime, data_dir: Path) -> Terminal:
    for name in ("Makefile", "k8s", "messages", "tools", "pyproject.toml", "requirements"):
        (tmp_path / name).symlink_to(ROOT / name)
    settings = on_free_ports(daprd_path=dapr_runtime.daprd, sentry_path=dapr_runtime.sentry)
    environment = {
        **os.environ,
        **settings.environment(),
        "HOME": str(data_dir.parent),
        "XDG_CACHE_HOME": str(user_cache_path()),
        "MAKEFLAGS": MAKEFLAGS,
        "PATH": f"{sys.prefix}/bin:{os.environ['PATH']}",
    }
    return Terminal(tmp_path, environment)


def test_the_page_does_what_it_says(terminal: Terminal) -> None:
    steps = blocks(PAGE)
    followed_by = [language for language, _ in steps[1:]] + [""]
    with ExitStack() as platform:
        command = ""
        for (language, text), following in zip(steps, followed_by, strict=True):
            if language == "text":
                assert eventually(partial(_same, terminal, command, text), seconds=SECONDS)
            elif text.startswith("export"):
                terminal.export(text)
            elif text.startswith("make run"):
                platform.close()
                platform.enter_context(terminal.running(text))
            elif following == "text":
                command = text
            else:
                terminal.run(text)


def _same(terminal: Terminal, command: str, expected: str) -> bool:
    """Return whether the output ends with the expected lines; progress may be in front of them."""
    return terminal.output(command).endswith(expected)
