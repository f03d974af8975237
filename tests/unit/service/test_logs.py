import json
import subprocess
import sys

import pytest

_PROGRAM = """
import logging, sys, threading
from dapr_hero.service import logs
from dapr_hero.settings import Settings
import structlog

logs.configure("inventory", Settings(log_format=sys.argv[1]))
try:
    secret = "hidden"
    raise ValueError("broken")
except ValueError:
    structlog.get_logger().exception("ours", answer=42)
    logging.getLogger("library").exception("theirs %s", "here")
thread = threading.Thread(target=lambda: logging.getLogger("library").warning("from a thread"))
thread.start()
thread.join()
"""


def lines(log_format: str) -> str:
    """Run a separate program: the configuration of logs is global."""
    command = [sys.executable, "-c", _PROGRAM, log_format]
    return subprocess.run(command, capture_output=True, text=True, check=True).stderr


def test_each_line_of_json_names_its_service_and_holds_its_whole_traceback() -> None:
    ours, theirs, threads = map(json.loads, lines("json").splitlines())
    assert [each["service"] for each in (ours, theirs, threads)] == ["inventory"] * 3
    assert [each["event"] for each in (ours, theirs, threads)] == ["ours", "theirs here", "from a thread"]
    for each in (ours, theirs):
        assert each["exception"].startswith("Traceback (most recent call last)")
        assert each["exception"].endswith("ValueError: broken")
        assert "exc_info" not in each
    assert ours["answer"] == 42
    assert threads["level"] == "warning"


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_tracebacks_show_no_local_variables(log_format: str) -> None:
    assert '= "hidden"' not in lines(log_format).replace('secret = "hidden"\n', "")


def test_each_line_of_text_names_its_service() -> None:
    heads = [line for line in lines("text").splitlines() if "[error" in line or "[warning" in line]
    assert len(heads) == 3
    assert all("service=inventory" in each for each in heads)
    assert lines("text").count("ValueError: broken") == 2
