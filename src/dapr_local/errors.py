"""The errors of the local runner. Each message is complete, for the person who started it."""


class LocalError(Exception):
    """The local runner cannot continue; the message is complete and needs no traceback."""


class PartDied(LocalError):
    """A part exited, or did not become ready."""

    def __init__(self, name: str, how: str, last_words: str) -> None:
        """`how` it ended, as a predicate; `last_words` are the last lines of its log."""
        super().__init__(f"{name} {how}{last_words}")
        self.name = name
        self.how = how


class PartNotReady(PartDied):
    """A part runs, but did not become ready in time."""


class PortTaken(LocalError):
    """A port that a part needs belongs to another process."""

    def __init__(self, port: int, message: str) -> None:
        super().__init__(f"port {port} is taken{message}")
        self.port = port


class DataError(LocalError):
    """The data directory cannot be used, or not by this runner."""
