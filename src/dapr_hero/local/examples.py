"""The command line for another terminal, with the settings that reach this platform."""

import os
import shlex
import shutil
import sys
from pathlib import Path

from dapr_hero.settings import key, port_fields

_ALSO = ("data_dir", "inventory_host", "dapr_host", "pubsub_name", "pubsub_topic")


def command(offset: int) -> str:
    """Return the command with the settings that it needs: those that this terminal has, and the offset."""
    names = [key(name) for name in (*port_fields(), *_ALSO)]
    needed = {name: value for name in names if (value := os.environ.get(name))}
    if offset:
        needed[key("port_offset")] = str(offset)
    return " ".join([*(f"{name}={shlex.quote(value)}" for name, value in needed.items()), _program()])


def _program() -> str:
    """Return the name of the command if the shell finds it, otherwise its path."""
    own = Path(sys.executable).with_name("dapr-hero")
    found = shutil.which("dapr-hero")
    if found and Path(found).resolve() == own.resolve():
        return "dapr-hero"
    return shlex.quote(str(own)) if own.exists() else f"{shlex.quote(sys.executable)} -m dapr_hero"
