"""The messages of the two kinds of failure, which are not confused."""

import pytest

from dapr_hero.contract.errors import Refused, Unavailable
from dapr_hero.contract.items import Malformed


def test_a_dependency_that_is_unavailable_is_named_and_its_cause_stays_out_of_the_message() -> None:
    failure = Unavailable("postgresql", "no route to 10.0.0.1")
    assert str(failure) == "postgresql is unavailable; try again"
    assert (failure.dependency, failure.cause) == ("postgresql", "no route to 10.0.0.1")


def test_the_cause_may_be_unknown() -> None:
    assert Unavailable("daprd").cause == ""


def test_a_refusal_says_who_refused_and_why() -> None:
    assert str(Refused("products", "too large")) == "products refused the item: too large"


@pytest.mark.parametrize(
    ("error", "others"),
    [
        (Unavailable("daprd"), (Refused, ValueError, OSError)),
        (Refused("daprd", "no"), (Unavailable, ValueError, OSError)),
        (Malformed("no"), (Unavailable, Refused)),
    ],
)
def test_one_kind_of_failure_is_never_caught_as_another(
    error: Exception, others: tuple[type[Exception], ...]
) -> None:
    """An event is parked, or it becomes a dead letter: the handlers go by the type."""
    assert not isinstance(error, others)
