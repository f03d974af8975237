"""Writes generated files, or checks that they are up to date."""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path


def outdated(texts: Mapping[Path, str]) -> list[Path]:
    """Return the files that are missing or do not have their text."""
    return [path for path, text in texts.items() if not path.is_file() or path.read_text() != text]


def write_or_check(texts: Mapping[Path, str], command: str) -> int:
    """Write the files, or with `--check` name the outdated ones; return the exit code.

    `command` is the command that writes them.
    """
    parser = argparse.ArgumentParser(description=f"Write {', '.join(map(str, texts))}.")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit code 1 if a file is outdated"
    )
    if parser.parse_args().check:
        if found := outdated(texts):
            sys.stderr.write(f"error: outdated: {', '.join(map(str, found))}; run `{command}`\n")
        return int(bool(found))
    for path, text in texts.items():
        path.write_text(text)
    return 0
