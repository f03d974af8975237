import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from dapr_hero.local.data import DataDir
from dapr_hero.local.errors import DataError
from dapr_hero.local.passwords import Passwords, write_secrets
from dapr_hero.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", postgres_port=15432, postgres_secret="database")


@pytest.fixture
def data(settings: Settings) -> Iterator[DataDir]:
    data = DataDir.open(settings)
    yield data
    data.close()


def test_they_are_made_once_and_all_different(data: DataDir) -> None:
    passwords = Passwords.of(data)

    every = {passwords.valkey, passwords.postgres_superuser, passwords.postgres_inventory}
    assert len(every) == 3
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


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"valkey": 1, "other": 2}'])
def test_a_damaged_file_is_told(data: DataDir, content: str) -> None:
    (data.root / "passwords.json").write_text(content)

    with pytest.raises(DataError, match=r"passwords\.json is damaged: .*--fresh"):
        Passwords.of(data)
