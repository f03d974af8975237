import os
from pathlib import Path

import pytest

import tools.env_file
from dapr_hero import settings
from dapr_hero.contract.mode import Mode
from dapr_hero.settings import Settings, SettingsError, env_file, key, port_fields

UNPREFIXED = {
    *("dapr_mode", "dapr_http_port", "dapr_grpc_port", "dapr_api_token", "app_api_token"),
    "otel_exporter_otlp_endpoint",
}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(key(name), raising=False)


def test_the_committed_env_file_is_what_the_settings_say() -> None:
    committed = Path(__file__).parents[2] / ".env"
    assert committed.read_text() == tools.env_file.text()


def test_the_env_file_says_the_defaults(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(tools.env_file.text())
    defaults = Settings()
    assert settings.load() == defaults


def test_a_variable_that_is_set_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text(
        f"{env_file.MARK}\nDAPR_HERO_INVENTORY_PORT=1111\nDAPR_HERO_PRODUCTS_PORT=2222\n"
    )
    monkeypatch.setenv("DAPR_HERO_INVENTORY_PORT", "3333")
    loaded = settings.load()
    assert (loaded.inventory_port, loaded.products_port) == (3333, 2222)
    assert "DAPR_HERO_PRODUCTS_PORT" not in os.environ


@pytest.mark.parametrize(
    "content",
    [
        b"DAPR_MODE=smoke\nLOG_LEVEL=debug\nDAPR_HTTP_PORT=1\nDAPR_HERO_VALKEY_PORT=many\n",
        b"# not ours\nDAPR_MODE=smoke\n",
        b"\xff\xfe\x00 neither text\n",
        b"",
    ],
)
def test_a_foreign_env_file_is_ignored(tmp_path: Path, content: bytes) -> None:
    (tmp_path / ".env").write_bytes(content)
    assert settings.load() == Settings()


def test_a_directory_or_a_pipe_named_env_is_ignored(tmp_path: Path) -> None:
    (tmp_path / ".env").mkdir()
    assert settings.load() == Settings()
    (tmp_path / ".env").rmdir()
    os.mkfifo(tmp_path / ".env")
    assert settings.load() == Settings()


def test_a_working_directory_that_was_deleted_has_no_env_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert settings.load() == Settings()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"DAPR_HERO_VALKEY_PROT=1", "DAPR_HERO_VALKEY_PROT is not a setting"),
        (b"VALKEY_PORT=1", "VALKEY_PORT is not a setting"),
        (b"DAPR_HERO_VALKEY_PORT=many", "DAPR_HERO_VALKEY_PORT=many cannot be used"),
        (b"DAPR_HERO_DATA_DIR=\xe9", "not UTF-8"),
    ],
)
def test_a_fault_in_our_env_file_is_one_line(tmp_path: Path, line: bytes, message: str) -> None:
    (tmp_path / ".env").write_bytes(env_file.MARK.encode() + b"\n" + line + b"\n")
    with pytest.raises(SettingsError, match=message) as caught:
        settings.load()
    assert "\n" not in str(caught.value)


def test_variables_of_other_projects_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in set(Settings.model_fields) - UNPREFIXED:
        monkeypatch.setenv(name.upper(), "foreign")
    assert settings.load() == Settings()


def test_daprs_names_and_the_mode_have_no_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    assert {name for name in Settings.model_fields if key(name) == name.upper()} == UNPREFIXED
    monkeypatch.setenv("DAPR_HTTP_PORT", "3333")
    monkeypatch.setenv("DAPR_HERO_DAPR_HTTP_PORT", "4444")
    assert settings.load().dapr_http_port == 3333


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("DAPR_MODE", "smoke-signals"),
        ("DAPR_HERO_VALKEY_PORT", "many"),
        ("DAPR_HERO_VALKEY_PORT", "0"),
        ("DAPR_HERO_VALKEY_PORT", "65536"),
        ("DAPR_HERO_LOG_LEVEL", "LOUD"),
        ("DAPR_HERO_SAMPLING_RATE", "1.5"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"),
        ("DAPR_HERO_BULK_SUBSCRIBE", "perhaps"),
        ("DAPR_HERO_REQUEST_TIMEOUT_SECONDS", "-1"),
    ],
)
def test_a_bad_value_is_one_line_with_key_value_and_default(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError) as caught:
        settings.load()
    message = str(caught.value)
    assert message.startswith(f"{variable}={value} cannot be used")
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
    ports = [getattr(Settings(), name) for name in port_fields() if getattr(Settings(), name)]
    assert len(set(ports)) == len(ports)
    moved = Settings(port_offset=100).shifted()
    assert [getattr(moved, name) for name in port_fields() if getattr(moved, name)] == [
        port + 100 for port in ports
    ]
    assert {getattr(moved, name) for name in port_fields("chosen")} == {0}
    assert moved.shifted() == moved


def test_an_offset_that_leaves_the_range_is_said() -> None:
    with pytest.raises(SettingsError, match="DAPR_HERO_PORT_OFFSET"):
        Settings(port_offset=15000, products_port=60000).shifted()


def test_the_environment_makes_the_same_settings_again(monkeypatch: pytest.MonkeyPatch) -> None:
    original = Settings(
        dapr_mode=Mode.CUSTOM_GRPC, inventory_port=1234, sampling_rate=0.5, data_dir=Path("/data")
    )
    for variable, value in original.environment().items():
        monkeypatch.setenv(variable, value)
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
    names = [name for name in port_fields("each_replica") if name not in port_fields("chosen")]
    own = [getattr(each, name) for each in (first, second, third) for name in names]
    shared = {getattr(first, name) for name in port_fields()} - set(own)
    assert len(own) == len(set(own)) == 24
    assert shared.isdisjoint(own)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:3000"),
        ("0.0.0.0", "http://127.0.0.1:3000"),  # noqa: S104
        ("::", "http://[::1]:3000"),
        ("::1", "http://[::1]:3000"),
        ("fe80::1", "http://[fe80::1]:3000"),
        ("example.local", "http://example.local:3000"),
    ],
)
def test_the_address_of_the_rest_api_is_a_url(host: str, url: str) -> None:
    assert Settings(inventory_host=host).inventory_url == url
