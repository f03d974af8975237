"""`dapr-hero up` and its companions as a person uses them."""

import fcntl
import os
import pty
import re
import signal
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import httpx2 as httpx
import psutil
import pytest

from dapr_hero.local.chosen_ports import on_free_ports
from dapr_hero.local.credentials import with_tokens
from dapr_hero.settings import Settings
from dapr_hero.testing import eventually
from dapr_local.install.pins import VERSION
from dapr_local.install.runtime import DaprRuntime
from tests.load import Load, differences, streaming

Up = subprocess.Popen[str]


@pytest.fixture
def settings(dapr_runtime: DaprRuntime, data_dir: Path) -> Settings:
    return on_free_ports(data_dir=data_dir, daprd_path=dapr_runtime.daprd, sentry_path=dapr_runtime.sentry)


def hero(settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "dapr_hero", *arguments],
        env={**os.environ, **settings.environment()},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


def _item(settings: Settings, resource: str, id: str) -> str:
    """Return the output of `get`; "" when there is no such item."""
    return hero(settings, "get", resource, id).stdout


class Terminal:
    """One `dapr-hero up`, with what it has printed."""

    def __init__(self, settings: Settings, output: Path, *arguments: str) -> None:
        self._output = output
        with output.open("w") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "dapr_hero", "up", *arguments],
                env={**os.environ, **settings.environment()},
                stdout=file,
                stderr=subprocess.STDOUT,
                text=True,
            )
        eventually(lambda: "Ctrl-C stops" in self.text or self.process.poll() is not None, seconds=90)

    @property
    def text(self) -> str:
        return self._output.read_text()

    @property
    def parts(self) -> dict[str, int]:
        """The pids that the screen tells, by part."""
        return {
            name: int(pid)
            for name, pid in re.findall(r"^│ ([a-z-]+) +│.*│ (\d+) +│$", self.text, re.MULTILINE)
        }

    def end(self, how: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(how)
        return self.process.wait(60)


@pytest.fixture
def up(settings: Settings, tmp_path: Path) -> Iterator[Terminal]:
    terminal = Terminal(settings, tmp_path / "output")
    yield terminal
    if terminal.process.poll() is None:
        terminal.end()


def _left(pids: dict[str, int]) -> list[str]:
    return [name for name, pid in pids.items() if psutil.pid_exists(pid)]


STORES = {"valkey", "stream-trimmer", "postgres", "sentry", "collector", "zipkin"}
ALL = STORES | {"products", "products-daprd", "inventory", "inventory-daprd"}


def test_events_go_in_and_items_come_out_and_ctrl_c_leaves_nothing_but_the_data(
    settings: Settings, up: Terminal, tmp_path: Path
) -> None:
    assert set(up.parts) == ALL, up.text
    for resource in ("widget", "gadget", "thingamajig"):
        assert hero(settings, "publish", resource, "--id", "é 1", "--price", "0.1").returncode == 0
        found = eventually(partial(_item, settings, resource, "é 1"))
        assert found == '{"id":"é 1","description":"made by dapr-hero publish","price":0.1}\n'
    missing = hero(settings, "get", "widget", "missing")
    assert (missing.returncode, missing.stderr) == (1, "error: 404: there is no such item in widgets\n")
    many = hero(settings, "publish", "widget", "--count", "50")
    assert (many.returncode, "published 50 widget events" in many.stdout) == (0, True)

    pids = up.parts
    assert up.end(signal.SIGINT) == 0
    assert _left(pids) == []

    again = Terminal(settings, tmp_path / "again")
    for resource in ("widget", "gadget", "thingamajig"):
        assert hero(settings, "get", resource, "é 1").returncode == 0
    _check_token(settings, again)
    diagnosis = hero(settings, "doctor")
    assert (diagnosis.returncode, f"running (pid {again.process.pid})" in diagnosis.stdout) == (0, True)
    assert again.end(signal.SIGHUP) == 0
    assert _left(again.parts) == []


def _check_token(settings: Settings, up: Terminal) -> None:
    """The token of daprd is printed for other clients, and nowhere else."""
    answer = hero(settings, "token")
    url = f"http://127.0.0.1:{settings.dapr_http_port}/v1.0/metadata"
    assert httpx.get(url).status_code == 401
    assert httpx.get(url, headers={"dapr-api-token": answer.stdout.strip()}).status_code == 200
    assert answer.stdout.strip() not in up.text


def test_without_a_platform_there_is_no_token(settings: Settings, tmp_path: Path) -> None:
    answer = hero(settings.model_copy(update={"data_dir": tmp_path / "none"}), "token")
    assert (answer.returncode, answer.stdout) == (1, "")
    assert "DAPR_API_TOKEN" in answer.stderr


@pytest.mark.parametrize(
    ("parts", "absent"),
    [("sidecars", {"inventory", "products"}), ("products", {"inventory", "inventory-daprd"})],
)
def test_parts_of_it_run_alone(settings: Settings, tmp_path: Path, parts: str, absent: set[str]) -> None:
    terminal = Terminal(settings, tmp_path / "output", "--parts", parts)
    assert set(terminal.parts) == ALL - absent, terminal.text
    assert terminal.end() == 0
    assert _left(terminal.parts) == []


def test_each_part_that_is_killed_comes_back_and_no_event_is_lost(settings: Settings, up: Terminal) -> None:
    """kill -9 of every part in turn, while events flow."""
    first = up.parts
    running = psutil.Process(up.process.pid)
    known = with_tokens(settings)
    with streaming([known.dapr_http_port], known, Load(seed=3, rate=100, prefix="killed")) as ledger:
        for part, pid in first.items():
            os.kill(pid, signal.SIGKILL)
            eventually(partial(_is_back, up, part), seconds=90)
    assert ledger.good > 0
    eventually(lambda: not differences(known, ledger.newest), seconds=90)
    pids = {f"process {each.pid}": each.pid for each in running.children(recursive=True)}
    assert up.end(signal.SIGTERM) == 0
    assert "stopping: services, sidecars, stores\nstopped; nothing is left running" in up.text
    assert _left(pids) == []


def _is_back(up: Terminal, part: str) -> bool:
    """Return whether the death of a part and its recovery are on the screen, in a line each."""
    died = f"{part} was killed by SIGKILL; restarting it in 0.2 s\n"
    return died in up.text and f"\n{part} is up (" in f"\n{up.text.partition(died)[2]}"


def test_a_part_that_keeps_dying_is_given_up_with_its_last_lines(settings: Settings, up: Terminal) -> None:
    pids = up.parts
    runner = psutil.Process(up.process.pid)
    deadline = time.monotonic() + 60
    while up.process.poll() is None and time.monotonic() < deadline:
        for child in runner.children() if up.process.poll() is None else []:
            with suppress(psutil.Error):
                if "dapr_local.stream_trimmer" in child.cmdline():
                    child.kill()
    assert up.process.wait(60) == 1
    assert "error: stream-trimmer died 5 times in 60 s. The last time, " in up.text
    assert _left(pids) == []


def _until_ready(settings: Settings) -> None:
    url = f"http://127.0.0.1:{settings.inventory_port}/readyz"
    eventually(lambda: _answers(url), seconds=90)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


def _draining(settings: Settings) -> str:
    """The log of inventory, which says whether it was stopped in order."""
    assert settings.data_dir
    return Path(settings.data_dir, "logs", "inventory.log").read_text()


def test_a_closed_terminal_stops_everything_in_order(settings: Settings) -> None:
    main, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "dapr_hero", "up"],
        env={**os.environ, **settings.environment()},
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(terminal)
    reader = threading.Thread(target=_drain, args=(main,), daemon=True)
    reader.start()
    _until_ready(settings)
    children = psutil.Process(process.pid).children(recursive=True)
    os.close(os.dup2(os.open(os.devnull, os.O_RDONLY), main))  # as a window that is closed
    assert process.wait(60) == 0
    assert "draining" in _draining(settings)
    assert not [each for each in children if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]


def _drain(terminal: int) -> None:
    """Read what is written, until the terminal is closed."""
    with suppress(OSError):
        while os.read(terminal, 4096):
            pass


def test_output_that_cannot_be_written_stops_nothing(settings: Settings) -> None:
    """As in `dapr-hero up | head -1`."""
    read, output = os.pipe()
    os.close(read)
    process = subprocess.Popen(
        [sys.executable, "-m", "dapr_hero", "up"],
        env={**os.environ, **settings.environment()},
        stdout=output,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(output)
    _until_ready(settings)
    assert process.poll() is None
    children = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, "")
    assert "draining" in _draining(settings)
    assert not [each for each in children if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]


def test_two_platforms_run_at_once_with_an_offset(settings: Settings, up: Terminal, tmp_path: Path) -> None:
    other_data = settings.data_dir.with_name("other") if settings.data_dir else None
    for offset in range(97, 4000, 101):  # the first that is free for all of them
        other = settings.model_copy(
            update={"port_offset": offset, "data_dir": other_data, "inventory_host": "::1"}
        )
        second = Terminal(other, tmp_path / "second")
        if "is taken" not in second.text:
            break
    assert set(second.parts) == ALL, second.text
    assert hero(other, "publish", "widget", "--id", "second").returncode == 0
    eventually(lambda: hero(other, "get", "widget", "second").returncode == 0)
    assert hero(settings, "get", "widget", "second").returncode == 1
    _run_examples(second)
    assert second.end() == 0
    assert up.process.poll() is None


def _run_examples(up: Terminal) -> None:
    """Run what the screen says to try, as it says it, in a terminal that knows nothing of the platform."""
    lines = re.findall(r"^  ((?:\S.*)?(?:dapr-hero|curl) .*)$", up.text, re.MULTILINE)
    assert len(lines) == 5
    bare = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    for line in lines:
        if " get " in line or " -m " in line or "curl" in line:
            eventually(partial(_works, line, bare))
        else:
            assert _works(line, bare), line


def _works(line: str, env: dict[str, str]) -> bool:
    program = line.replace("curl ", "curl --fail --silent ")
    return subprocess.run(["bash", "-c", program], env=env, capture_output=True, timeout=60).returncode == 0


def test_a_second_platform_fails_with_one_line_and_a_killed_one_leaves_nothing(
    settings: Settings, up: Terminal
) -> None:
    elsewhere = settings.model_copy(update={"data_dir": Path(str(settings.data_dir) + "-2")})
    taken = hero(elsewhere, "up")
    assert taken.returncode == 1
    assert re.search(
        r"^error: port \d+ is taken by .* \(pid \d+\): .*DAPR_HERO_PORT_OFFSET", taken.stderr, re.MULTILINE
    )
    same_data = hero(settings, "up")
    assert same_data.returncode == 1
    assert "DAPR_HERO_DATA_DIR" in same_data.stderr
    for fault in (taken, same_data):
        assert fault.stderr.count("\n") == 1
        assert "Traceback" not in fault.stderr + fault.stdout
    pids = up.parts
    up.end(signal.SIGKILL)
    eventually(lambda: not _left(pids))


@pytest.mark.parametrize(
    ("key", "value"),
    [("DAPR_MODE", "smoke"), ("DAPR_HERO_VALKEY_PORT", "many"), ("DAPR_HERO_DAPRD_PATH", "/nowhere/daprd")],
)
def test_a_bad_setting_is_one_line(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, key: str, value: str
) -> None:
    environment = {**os.environ, **settings.environment(), key: value}
    answer = subprocess.run(
        [sys.executable, "-m", "dapr_hero", "up"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 1
    assert key in answer.stderr
    assert value in answer.stderr
    assert answer.stderr.count("\n") == 1


def test_without_a_platform_the_client_says_so(settings: Settings) -> None:
    for arguments in (["publish", "widget"], ["get", "widget"]):
        answer = hero(settings, *arguments)
        assert answer.returncode == 1
        assert "is the platform up (make run)?" in answer.stderr


@pytest.mark.parametrize(
    "arguments", [["--price", "-1"], ["--price", "x"], ["--id", "x" * 257], ["--price", "NaN"]]
)
def test_an_item_that_cannot_be_stored_is_not_published(settings: Settings, arguments: list[str]) -> None:
    answer = hero(settings, "publish", "widget", *arguments)
    assert answer.returncode == 1
    assert answer.stderr.startswith("error: ")


def test_doctor_tells_what_is_there(settings: Settings) -> None:
    answer = hero(settings, "doctor")
    assert answer.returncode == 0
    for word in ("python", f"daprd and sentry {VERSION}", "Valkey", "PostgreSQL", "Zipkin", "ports"):
        assert word in answer.stdout
