"""The values that each kind of field accepts, and its marks for the local runner."""

from typing import Annotated, Any

import pytest
from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from dapr_hero.settings.fields import ChosenPort, Port, chosen_port, named, own_port, port, token


class Example(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="EXAMPLE_")

    shared: Port = port(5432, "A shared port")
    own: Port = own_port(3000, "A port of each replica")
    chosen: ChosenPort = chosen_port("A chosen port")
    chosen_own: ChosenPort = chosen_port("Another", each_replica=True)
    secret: Annotated[str, named("example_token")] = token("A token")


@pytest.fixture(autouse=True)
def _nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Example.model_fields:
        monkeypatch.delenv(f"EXAMPLE_{name.upper()}", raising=False)


def marks(name: str) -> set[str]:
    extra = Example.model_fields[name].json_schema_extra
    assert isinstance(extra, dict)
    return {mark for mark, value in extra.items() if value}


def test_each_kind_of_port_has_its_marks_and_its_default() -> None:
    assert marks("shared") == {"port"}
    assert marks("own") == {"port", "each_replica"}
    assert marks("chosen") == {"port", "chosen"}
    assert marks("chosen_own") == {"port", "chosen", "each_replica"}
    found = Example()
    assert (found.shared, found.own, found.chosen, found.chosen_own) == (5432, 3000, 0, 0)


def test_a_chosen_port_says_that_0_is_a_free_one() -> None:
    assert Example.model_fields["chosen"].description == "A chosen port; 0: a free port"
    assert Example.model_fields["shared"].description == "A shared port"


@pytest.mark.parametrize(
    ("name", "number", "accepted"),
    [
        ("SHARED", 0, False),
        ("SHARED", 1, True),
        ("OWN", 65535, True),
        ("OWN", 65536, False),
        ("CHOSEN", -1, False),
        ("CHOSEN", 0, True),
        ("CHOSEN", 65535, True),
        ("CHOSEN", 65536, False),
    ],
)
def test_only_a_chosen_port_may_be_0(
    monkeypatch: pytest.MonkeyPatch, name: str, number: int, accepted: bool
) -> None:
    monkeypatch.setenv(f"EXAMPLE_{name}", str(number))
    if accepted:
        assert getattr(Example(), name.lower()) == number
    else:
        with pytest.raises(ValidationError):
            Example()


def test_a_named_field_has_no_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXAMPLE_TOKEN", "by-name")
    monkeypatch.setenv("EXAMPLE_SECRET", "by-prefix")
    assert Example().secret == "by-name"


def test_a_token_fits_into_a_header_and_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Example().secret == ""
    monkeypatch.setenv("EXAMPLE_TOKEN", "!geheim~")
    assert Example().secret == "!geheim~"
    assert "geheim" not in repr(Example())


@pytest.mark.parametrize("value", ["two words", "a\nb", "tab\t", "\x7f", "ä"])
def test_a_token_that_does_not_fit_into_a_header_is_refused(
    monkeypatch: pytest.MonkeyPatch, value: Any
) -> None:
    monkeypatch.setenv("EXAMPLE_TOKEN", value)
    with pytest.raises(ValidationError):
        Example()
