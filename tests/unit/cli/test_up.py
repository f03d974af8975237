import pytest

from dapr_hero.cli.up import Parts
from dapr_hero.local import assembly


@pytest.mark.parametrize(
    ("parts", "without"),
    [
        (Parts.ALL, set()),
        (Parts.PRODUCTS, {"inventory", "inventory-daprd"}),
        (Parts.SIDECARS, {"inventory", "products"}),
    ],
)
def test_a_choice_leaves_out_its_parts(parts: Parts, without: set[str]) -> None:
    assert assembly.ALL - parts.names == without
