"""Commands whose modules are imported when they are needed."""

import subprocess
import sys
from typing import Any

import pytest
import typer

from dapr_hero.cli.main import app

# Each costs a noticeable part of a second, and most commands need none of them.
HEAVY = {
    "aiohttp",
    "asyncpg",
    "fastapi",
    "grpc",
    "jinja2",
    "opentelemetry",
    "psutil",
    "pydantic",
    "starlette",
    "uvicorn",
}
# With the libraries that it needs itself.
COMMANDS = {
    "--version": set[str](),
    "token --help": {"pydantic"},
    "get --help": {"pydantic"},
    "publish --help": {"aiohttp", "pydantic"},
}


def imported(arguments: str) -> set[str]:
    """The heavy libraries that a command imports."""
    program = (
        "import sys\n"
        "from dapr_hero.cli.main import main\n"
        f"sys.argv = ['dapr-hero', *{arguments.split()!r}]\n"
        "try: main()\n"
        f"finally: sys.stderr.write(' '.join({HEAVY!r} & sys.modules.keys()))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


@pytest.mark.parametrize(("arguments", "needed"), COMMANDS.items())
def test_a_command_imports_only_what_it_needs(arguments: str, needed: set[str]) -> None:
    assert imported(arguments) == needed


def test_every_command_is_found_and_has_its_name() -> None:
    group: Any = typer.main.get_command(app)
    context = typer.Context(group)
    names = group.list_commands(context)
    assert names == ["up", "publish", "get", "token", "doctor", "setup", "dead-letters", "k8s"]
    for name in names:
        command = group.get_command(context, name)
        assert command
        assert command.name == name
        assert command.help
    assert group.get_command(context, "down") is None
