"""The terminal of the commands: errors become one line and an exit code, and untrusted text is escaped."""

import errno
import os
import signal
import sys
from collections.abc import Callable
from typing import Any, TextIO

from dapr_local.printable import printable


def write(text: str) -> None:
    """Write a printable line to standard output, without style or wrapping."""
    sys.stdout.write(printable(text) + "\n")


class LastingOutput:
    """A text stream for a command that outlives its reader: output that cannot be written is dropped."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write and flush the text; drop it, and all that follows, if that fails."""
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):
            _discard_output(self._stream)
        return len(text)

    def flush(self) -> None:
        """Do nothing: everything is flushed already."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def run(command: Callable[[], object], expected: tuple[type[Exception], ...]) -> int:
    """Run a command; return its exit code. Every error becomes one message, never a traceback.

    `expected` are the errors whose messages are written for users. Exit codes: 0 done, 1 failed, 2 wrong
    usage, 130 interrupted, 141 the reader of the output is gone (1 if that is noticed early).
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # A terminal that cannot show a character shows its number.
            stream.reconfigure(errors="backslashreplace")
    try:
        return _code(command, expected)
    except BrokenPipeError:
        _discard_output(sys.stdout)
        return 128 + signal.SIGPIPE
    except OSError as error:
        _discard_output(sys.stdout)
        return _failed(f"the output cannot be written: {error.strerror or error}")


def _code(command: Callable[[], object], expected: tuple[type[Exception], ...]) -> int:
    code = 0
    try:
        command()
    except SystemExit as exit:
        code = exit.code if isinstance(exit.code, int) else int(exit.code is not None)
    except KeyboardInterrupt:
        code = 128 + signal.SIGINT
    except expected as error:
        code = _failed(str(error))
    except ModuleNotFoundError as error:
        code = _failed(f"the package {error.name} is not installed: pip install 'dapr-hero[local]'")
    except OSError as error:
        if error.errno in (errno.EPIPE, errno.ENOSPC) and not error.filename:
            raise
        code = _failed(_explained(error))
    except Exception as error:
        code = _failed(f"{type(error).__name__}: {error}. This is a fault of dapr-hero; please report it")
    sys.stdout.flush()
    return code


def _explained(error: OSError) -> str:
    place = f"{error.filename}: " if error.filename else ""
    return f"{place}{error.strerror or error}"


def _failed(message: str) -> int:
    from rich.console import Console  # slow to import, and only an error needs it

    Console(stderr=True).print(
        f"error: {printable(message)}", style="bold red", markup=False, highlight=False, soft_wrap=True
    )
    return 1


def _discard_output(stream: TextIO) -> None:
    """Keep the interpreter from writing the rest at its exit, where an error would be a traceback."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
