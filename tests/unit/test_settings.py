from pathlib import Path

import pytest

from dapr_hero import settings
from dapr_hero.local import environment
from dapr_hero.settings import Mode, Settings, SettingsError, port_fields


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def test_the_committed_env_file_is_what_the_settings_say() -> None:
    committed = Path(__file__).parents[2] / ".env"
    assert committed.read_text() == environment.text()


def test_the_env_file_says_the_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text(environment.text())
    defaults = Settings()
    for name in Settings.model_fields:
        monkeypatch.setenv(name.upper(), "")  # restored after the test, whatever the file sets
        monkeypatch.delenv(name.upper())
    assert settings.load() == defaults


def test_a_variable_that_is_set_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("INVENTORY_PORT=1111\nPRODUCTS_PORT=2222\n")
    monkeypatch.setenv("INVENTORY_PORT", "3333")
    monkeypatch.setenv("PRODUCTS_PORT", "")
    monkeypatch.delenv("PRODUCTS_PORT")
    loaded = settings.load()
    assert (loaded.inventory_port, loaded.products_port) == (3333, 2222)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("DAPR_MODE", "smoke-signals"),
        ("VALKEY_PORT", "many"),
        ("VALKEY_PORT", "0"),
        ("VALKEY_PORT", "65536"),
        ("LOG_LEVEL", "LOUD"),
        ("TRACING", "perhaps"),
        ("REQUEST_TIMEOUT_SECONDS", "-1"),
    ],
)
def test_a_bad_value_is_one_line_with_key_value_and_default(
    monkeypatch: pytest.MonkeyPatch, key: str, value: str
) -> None:
    monkeypatch.setenv(key, value)
    with pytest.raises(SettingsError) as caught:
        settings.load()
    message = str(caught.value)
    assert message.startswith(f"{key}={value} cannot be used")
    assert "Default: " in message
    assert "\n" not in message


@pytest.mark.parametrize("value", ["two words", "a line\n", "ä"])
def test_a_bad_token_is_said_and_not_shown(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("DAPR_API_TOKEN", value)
    with pytest.raises(SettingsError, match="DAPR_API_TOKEN") as caught:
        settings.load()
    assert value not in str(caught.value)


def test_a_token_is_in_no_repr() -> None:
    assert "geheim" not in repr(Settings(dapr_api_token="geheim", app_api_token="geheim"))


def test_every_setting_has_a_meaning() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name


def test_all_default_ports_differ_and_move_together() -> None:
    ports = [getattr(Settings(), name) for name in port_fields()]
    assert len(set(ports)) == len(ports)
    moved = Settings(port_offset=100).shifted()
    assert [getattr(moved, name) for name in port_fields()] == [port + 100 for port in ports]
    assert moved.shifted() == moved


def test_an_offset_that_leaves_the_range_is_said() -> None:
    with pytest.raises(SettingsError, match="PORT_OFFSET"):
        Settings(port_offset=15000, products_port=60000).shifted()


def test_the_environment_makes_the_same_settings_again(monkeypatch: pytest.MonkeyPatch) -> None:
    original = Settings(
        dapr_mode=Mode.CUSTOM_GRPC, inventory_port=1234, tracing=False, data_dir=Path("/data")
    )
    for key, value in original.environment().items():
        monkeypatch.setenv(key, value)
    assert settings.load() == original


def test_each_mode_has_its_callback_port_and_protocol() -> None:
    found = {mode: (Settings(dapr_mode=mode).callback_port, mode.protocol) for mode in Mode}
    assert found == {
        Mode.CUSTOM_HTTP: (3001, "http"),
        Mode.SDK_HTTP: (3002, "http"),
        Mode.CUSTOM_GRPC: (4001, "grpc"),
        Mode.SDK_GRPC: (4002, "grpc"),
    }


def test_a_replica_has_ports_of_its_own_and_shares_the_rest() -> None:
    first = Settings()
    second, third = first.replica(2), first.replica(3)
    assert (first.inventory_port, second.inventory_port, third.inventory_port) == (3000, 3100, 3200)
    assert second.valkey_port == first.valkey_port
    own = [getattr(each, name) for each in (first, second, third) for name in port_fields(each_replica=True)]
    shared = {getattr(first, name) for name in port_fields()} - set(own)
    assert len(own) == len(set(own)) == 30
    assert shared.isdisjoint(own)
