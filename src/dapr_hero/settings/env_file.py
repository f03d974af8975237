"""The file `.env`. One that belongs to another project is left alone."""

from pathlib import Path

from dotenv import dotenv_values

# The first line of a `.env` of dapr-hero.
MARK = "# dapr-hero settings"


def read(path: Path) -> dict[str, str | None]:
    """Return the variables of our `.env`; none from a file of another project. Raises: UnicodeDecodeError."""
    return dotenv_values(path, interpolate=False) if is_ours(path) else {}


def is_ours(path: Path) -> bool:
    """Return whether the file is a `.env` of dapr-hero; an unreadable one is not."""
    try:
        if not path.is_file():  # a pipe would block
            return False
        with path.open("rb") as file:
            return file.readline(200).startswith(MARK.encode())
    except OSError:
        return False
