"""The arguments that several commands share."""

from typing import Annotated, Any

import typer

from dapr_hero.contract.kinds import KINDS, Kind
from dapr_hero.contract.mode import Mode


def _kind(name: str) -> Kind:
    """Return the kind with this name."""
    for kind in KINDS:
        if kind.name == name:
            return kind
    raise typer.BadParameter(f"{name!r} is not one of {', '.join(each.name for each in KINDS)}")


KIND: dict[str, Any] = {"parser": _kind, "metavar": f"{{{'|'.join(each.name for each in KINDS)}}}"}
ModeOption = Annotated[Mode | None, typer.Option(help="How inventory talks to Dapr [default: DAPR_MODE]")]
