from dapr_hero.contract.errors import Refused, Unavailable
from dapr_hero.contract.items import Malformed


def test_callers_see_no_details_of_an_outage() -> None:
    failure = Unavailable("postgresql", "10.0.0.5 refused the login of inventory")
    assert str(failure) == "postgresql is unavailable; try again"
    assert (failure.dependency, failure.cause) == ("postgresql", "10.0.0.5 refused the login of inventory")


def test_a_refusal_names_its_reason() -> None:
    assert str(Refused("products", "price is negative")) == "products refused the item: price is negative"


def test_the_kinds_of_failure_are_not_taken_for_each_other() -> None:
    kinds = (Unavailable, Refused, Malformed)
    for kind in kinds:
        assert not any(issubclass(kind, other) for other in kinds if other is not kind)
