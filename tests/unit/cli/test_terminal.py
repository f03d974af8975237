"""Errors of commands, and text that could control a terminal."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from dapr_hero.cli import terminal


def failing(error: BaseException) -> Callable[[], None]:
    def command() -> None:
        raise error

    return command


class Expected(Exception): ...


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (Expected("what is wrong: what to do"), 1, "error: what is wrong: what to do\n"),
        (Expected("from a \x1b[31mserver"), 1, "error: from a \\u001b[31mserver\n"),
        (PermissionError(13, "Permission denied", "/file"), 1, "error: /file: Permission denied\n"),
        (IsADirectoryError(21, "Is a directory", "x"), 1, "error: x: Is a directory\n"),
        (
            ModuleNotFoundError("No module named 'x'", name="x"),
            1,
            "error: the package x is not installed: pip install 'dapr-hero[local]'\n",
        ),
        (KeyboardInterrupt(), 130, ""),
        (SystemExit(2), 2, ""),
        (SystemExit(0), 0, ""),
        (
            UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
            1,
            "error: UnicodeDecodeError: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte. "
            "This is a fault of dapr-hero; please report it\n",
        ),
    ],
)
def test_every_error_is_one_message_and_an_exit_code(
    error: BaseException, code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert terminal.run(failing(error), (Expected,)) == code
    assert capsys.readouterr().err == message


def hero(
    *arguments: str,
    stdout: Any = subprocess.PIPE,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run the command line."""
    return subprocess.run(
        [sys.executable, "-m", "dapr_hero", *arguments],
        env={**os.environ, "NO_COLOR": "1", **(env or {})},
        cwd=cwd,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        timeout=60,
        check=False,
    )


def one_line(answer: subprocess.CompletedProcess[str], *parts: str) -> None:
    """Check that an error is one line of advice."""
    assert answer.returncode not in (0, 2), answer.stderr
    assert "Traceback" not in answer.stderr
    assert answer.stderr.startswith("error: "), answer.stderr
    assert answer.stderr.count("\n") == 1
    for part in parts:
        assert part in answer.stderr


def test_a_full_disk_behind_the_output_is_one_line(tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        one_line(hero("--version", stdout=full), "the output cannot be written: No space left on device")


def test_a_reader_that_is_gone_ends_the_command_quietly() -> None:
    read, write = os.pipe()
    os.close(read)
    answer = hero("--version", stdout=write)
    os.close(write)
    assert (answer.returncode in (1, 141), answer.stderr) == (True, "")


@pytest.mark.parametrize("encoding", ["latin-1", "ascii"])
def test_a_terminal_that_cannot_show_a_character_shows_its_number(encoding: str, tmp_path: Path) -> None:
    environment = {"PYTHONIOENCODING": encoding, "DAPR_HERO_DATA_DIR": str(tmp_path)}
    answer = hero("publish", "--file", "日本.json", env=environment)
    one_line(answer, "\\u65e5\\u672c.json cannot be read: No such file or directory")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"# dapr-hero settings\nDAPR_HERO_LOG_LEVEL=\xff\n", ".env is not UTF-8 text"),
        (b"# dapr-hero settings\nUNKNOWN=1\n", "UNKNOWN is not a setting"),
        (b"# dapr-hero settings\nDAPR_HERO_INVENTORY_PORT=x\n", "DAPR_HERO_INVENTORY_PORT=x cannot be used"),
    ],
)
def test_a_bad_env_file_is_one_line(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(content)
    one_line(hero("token", cwd=tmp_path), message)


@pytest.mark.parametrize(
    "content",
    [b"\xff", b"[" * 100_000, b"no json", b"[]", b""],
    ids=["latin", "deep", "text", "list", "empty"],
)
def test_a_file_that_is_not_an_event_is_one_line(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "event.json").write_bytes(content)
    answer = hero("publish", "--file", "event.json", cwd=tmp_path)
    one_line(answer, "event.json is not a CloudEvent in JSON")


@pytest.mark.parametrize("name", [".", "none.json"])
def test_a_file_that_cannot_be_read_is_one_line(name: str, tmp_path: Path) -> None:
    answer = hero("publish", "--file", name, cwd=tmp_path)
    one_line(answer, f"{name} cannot be read")


def test_a_working_directory_that_is_gone_is_no_traceback(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    start = "os.execv(sys.executable, [sys.executable, '-m', 'dapr_hero', 'token'])"
    program = f"import os, sys; os.rmdir(os.getcwd()); {start}"
    environment = {**os.environ, "DAPR_HERO_DATA_DIR": str(tmp_path / "data"), "DAPR_API_TOKEN": ""}
    answer = subprocess.run(
        [sys.executable, "-c", program], cwd=gone, env=environment, capture_output=True, text=True, timeout=60
    )
    one_line(answer, "no token is known")


@pytest.mark.parametrize("command", [["dead-letters", "show", ""], ["dead-letters", "discard", ""]])
def test_an_empty_key_is_one_line(command: list[str]) -> None:
    one_line(hero(*command), "the key of a dead letter is empty")


def test_without_the_extra_for_the_command_line_the_extra_is_named(tmp_path: Path) -> None:
    (tmp_path / "typer.py").write_text(
        "raise ModuleNotFoundError(\"No module named 'typer'\", name='typer')\n"
    )
    environment = {"PYTHONPATH": str(tmp_path)}
    one_line(hero("--version", env=environment), "pip install 'dapr-hero[local]'")


@pytest.mark.parametrize("broken", ["a full disk", "a reader that is gone"])
def test_lasting_output_drops_what_cannot_be_written(broken: str) -> None:
    if broken == "a reader that is gone":
        read, descriptor = os.pipe()
        os.close(read)
    else:
        descriptor = os.open("/dev/full", os.O_WRONLY)
    with os.fdopen(descriptor, "w") as stream:
        output = terminal.LastingOutput(stream)
        for _ in range(3):
            assert output.write("a line\n") == len("a line\n")
        output.flush()
        assert not output.isatty()
