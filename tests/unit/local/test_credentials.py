import json
import stat
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from dapr_hero.local.credentials import Passwords, keep_tokens, with_tokens, write_secrets
from dapr_hero.local.data import open_data_dir
from dapr_hero.settings import Settings
from dapr_local.data import DataDir
from dapr_local.errors import DataError


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", postgres_port=15432, postgres_secret="database")


@pytest.fixture
def data(settings: Settings) -> Iterator[DataDir]:
    data = open_data_dir(settings)
    yield data
    data.close()


def test_they_are_made_once_and_all_different(data: DataDir) -> None:
    passwords = Passwords.of(data)

    every = set(asdict(passwords).values())
    assert len(every) == 5
    assert min(map(len, every)) >= 32
    assert Passwords.of(data) == passwords
    assert not any(password in repr(passwords) for password in every)


def test_the_secrets_are_what_dapr_serves(settings: Settings, data: DataDir) -> None:
    passwords = Passwords.of(data)

    secrets = json.loads(write_secrets(settings, data).read_text())

    login = {"host": "127.0.0.1", "port": "15432", "username": "inventory", "database": "inventory"}
    assert secrets["database"] == {**login, "password": passwords.postgres_inventory}
    assert secrets["valkey"] == {"password": passwords.valkey}
    assert passwords.postgres_superuser not in json.dumps(secrets)


def test_the_secrets_follow_the_port(settings: Settings, data: DataDir) -> None:
    before = json.loads(write_secrets(settings, data).read_text())["database"]

    after = json.loads(write_secrets(settings.model_copy(update={"postgres_port": 1}), data).read_text())[
        "database"
    ]

    assert after == {**before, "port": "1"}


def test_their_files_are_the_owners_alone(settings: Settings, data: DataDir) -> None:
    (data.root / "secrets.json").write_text("old")
    (data.root / "secrets.json").chmod(0o644)

    write_secrets(settings, data)

    for name in ("passwords.json", "secrets.json"):
        assert stat.S_IMODE((data.root / name).stat().st_mode) == 0o600


def test_a_file_of_an_earlier_version_is_completed(data: DataDir) -> None:
    file = data.root / "passwords.json"
    old = {"valkey": "v", "postgres_superuser": "s", "postgres_inventory": "i"}
    file.write_text(json.dumps(old))

    passwords = Passwords.of(data)

    assert json.loads(file.read_text()) == asdict(passwords)
    assert asdict(passwords).items() >= old.items()
    assert min(len(passwords.dapr_api_token), len(passwords.app_api_token)) >= 32
    assert Passwords.of(data) == passwords


def test_a_client_finds_the_tokens_of_the_platform(settings: Settings, data: DataDir) -> None:
    settled = keep_tokens(settings, data)

    passwords = Passwords.of(data)
    assert (settled.dapr_api_token, settled.app_api_token) == (
        passwords.dapr_api_token,
        passwords.app_api_token,
    )
    assert with_tokens(settings) == settled


def test_a_token_that_is_set_wins_and_is_kept(settings: Settings, data: DataDir) -> None:
    before = Passwords.of(data)

    settled = keep_tokens(settings.model_copy(update={"dapr_api_token": "mine"}), data)

    assert (settled.dapr_api_token, settled.app_api_token) == ("mine", before.app_api_token)
    assert with_tokens(settings) == settled
    assert with_tokens(settings.model_copy(update={"dapr_api_token": "other"})).dapr_api_token == "other"
    assert Passwords.of(data).valkey == before.valkey


def test_without_a_platform_there_are_no_tokens(settings: Settings) -> None:
    assert with_tokens(settings) == settings
    assert not (settings.data_dir or Path()).exists()


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"valkey": 1, "other": 2}'])
def test_a_damaged_file_is_told(data: DataDir, content: str) -> None:
    (data.root / "passwords.json").write_text(content)

    for use in (lambda: Passwords.of(data), lambda: keep_tokens(Settings(data_dir=data.root), data)):
        with pytest.raises(DataError, match=r"passwords\.json is damaged: .*--fresh"):
            use()
