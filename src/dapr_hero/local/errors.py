"""What can go wrong in the local runner: each error is a text for the person who started it."""


class LocalError(Exception):
    """Something the local runner cannot do; the message is complete and needs no traceback."""


class PartDied(LocalError):
    """A part ended by itself."""

    def __init__(self, name: str, message: str) -> None:
        """`name` is the part; `message` says how it ended and shows the last lines of its log."""
        super().__init__(message)
        self.name = name


class PartNotReady(LocalError):
    """A part runs, but did not become ready in time."""


class PortTaken(LocalError):
    """A port that a part needs belongs to another process."""


class DataError(LocalError):
    """The data directory cannot be used, or not by this runner."""
