"""The documents: their commands, executed as written and in order, on the real platform."""

import os
import re
import sys
from pathlib import Path

import pytest
from platformdirs import user_cache_path

from dapr_hero.local.chosen_ports import on_free_ports
from dapr_hero.settings import Settings
from dapr_local.install.runtime import DaprRuntime
from tests.documents import MAKEFLAGS, ROOT, Block, Terminal, blocks, execute, pages

# Its steps change the code: test_adding_a_type executes them in a copy.
CHANGES_THE_CODE = ROOT / "docs/guides/add-a-type.md"
PAGES = [
    page for page in pages() if page != CHANGES_THE_CODE and any(_.language == "bash" for _ in blocks(page))
]


@pytest.fixture
def settings(dapr_runtime: DaprRuntime) -> Settings:
    return on_free_ports(daprd_path=dapr_runtime.daprd, sentry_path=dapr_runtime.sentry)


@pytest.fixture
def terminal(settings: Settings, tmp_path: Path, data_dir: Path) -> Terminal:
    """A shell in a folder like the repository, whose environment is installed."""
    for name in ("Makefile", "k8s", "messages", "tools", "pyproject.toml", "requirements"):
        (tmp_path / name).symlink_to(ROOT / name)
    environment = {
        **os.environ,
        **settings.environment(),
        "HOME": str(data_dir.parent),
        "XDG_CACHE_HOME": str(user_cache_path()),
        "DAPR_HERO_DATA_DIR": str(data_dir),
        "MAKEFLAGS": MAKEFLAGS,
        "PATH": f"{sys.prefix}/bin:{os.environ['PATH']}",
    }
    return Terminal(tmp_path, environment)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_page_does_what_it_says(page: Path, terminal: Terminal, settings: Settings) -> None:
    execute([_on_its_ports(step, settings) for step in blocks(page) if not step.mark], terminal)


def _on_its_ports(step: Block, settings: Settings) -> Block:
    """Return the block with the test's ports in place of the default ones."""
    chosen = settings.texts()
    ports = {
        text: chosen[name]
        for name, text in Settings.model_construct().texts().items()
        if name.endswith("_port")
    }
    text = re.sub(r"(?<=localhost:)\d+", lambda found: ports[found[0]], step.text)
    return step._replace(text=text)
