import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from dapr_local.supervise import die_with_parent


@pytest.fixture
def _interrupt_ignored() -> Iterator[None]:
    """As in a shell's background."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_interrupt_ignored")
def test_a_part_can_be_interrupted_though_the_runner_cannot() -> None:
    asks = "import signal; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"
    parent, no_account = str(os.getpid()), ["", ""]
    argv = [
        sys.executable,
        "-I",
        "-S",
        die_with_parent.__file__,
        parent,
        "9",
        *no_account,
        sys.executable,
        "-c",
        asks,
    ]
    assert subprocess.run(argv, capture_output=True, text=True, check=True).stdout == "True\n"
