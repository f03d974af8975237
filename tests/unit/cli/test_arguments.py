import pytest
import typer

from dapr_hero.cli.arguments import KIND
from dapr_hero.contract.kinds import KINDS


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_kind_is_given_by_its_name(kind: object) -> None:
    assert KIND["parser"](kind.name) is kind  # type: ignore[attr-defined]


def test_an_unknown_kind_is_answered_with_the_known_ones() -> None:
    with pytest.raises(typer.BadParameter, match="'gizmo' is not one of widget, gadget, thingamajig"):
        KIND["parser"]("gizmo")
