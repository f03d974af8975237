from dapr_hero.local.chosen_ports import choose, of, on_free_ports
from dapr_hero.settings import Settings, port_fields
from dapr_local.ports import FREE_RANGE


def test_settings_on_free_ports() -> None:
    settings = on_free_ports(valkey_port=1234, log_level="DEBUG")

    chosen = [getattr(settings, name) for name in port_fields()]
    assert len(set(chosen)) == len(chosen)
    assert settings.valkey_port == 1234
    assert settings.log_level == "DEBUG"
    assert settings.postgres_port != 5432


def test_ports_that_no_user_types_are_chosen_free_and_different() -> None:
    given = [Settings(), Settings(inventory_port=3100)]
    first, second = choose(*given)
    names = port_fields("chosen")
    assert set(names) >= {"sentry_port", "inventory_dapr_internal_port", "products_dapr_metrics_port"}
    found = [getattr(each, name) for each in (first, second) for name in names]
    assert len(set(found)) == len(found)
    assert set(found) <= set(FREE_RANGE)
    assert not {port for each in given for port in of(each)} & set(found)
    assert (first.inventory_port, second.inventory_port) == (3000, 3100)


def test_a_port_that_is_given_is_kept() -> None:
    [chosen] = choose(Settings(sentry_port=50006))
    assert chosen.sentry_port == 50006
