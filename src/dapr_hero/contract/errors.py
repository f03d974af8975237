"""The two kinds of failure of a dependency, and errors for users of the command line.

They know no HTTP; `problems` has the answers to REST requests.

Exception
├── UserError     shown to the user of a command as it is.
├── Unavailable   not now: wait. The event is parked or retried.
├── Refused       never, for this item. The event becomes a dead letter.
└── ValueError
    └── items.Malformed   never, whatever the dependency says: the input is wrong.
"""


class Unavailable(Exception):
    """A dependency cannot serve anything now; the same call may work later.

    The message may be shown to callers. `cause` is for logs: it may hold addresses and other details.
    """

    def __init__(self, dependency: str, cause: str = "") -> None:
        super().__init__(f"{dependency} is unavailable; try again")
        self.dependency = dependency
        self.cause = cause


class Refused(Exception):
    """A dependency has answered that it will never accept this item; it may accept others."""

    def __init__(self, dependency: str, cause: str) -> None:
        super().__init__(f"{dependency} refused the item: {cause}")


class UserError(Exception):
    """A command cannot do its work; the message says why, and what to do."""
