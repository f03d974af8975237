from typing import Annotated

import pytest
from pydantic import BaseModel, ValidationError

from dapr_hero.settings.fields import ChosenPort, Port, chosen_port, named, own_port, port, token


class Fields(BaseModel):
    public: Port = port(80, "Public")
    own: Port = own_port(81, "Own")
    chosen: ChosenPort = chosen_port("Chosen", each_replica=True)
    secret: str = token("Secret")
    mode: Annotated[str, named("dapr_mode")] = "a"


def marks(name: str) -> dict[str, object]:
    extra = Fields.model_fields[name].json_schema_extra
    assert isinstance(extra, dict)
    return {key: value for key, value in extra.items() if value}


def test_the_marks_tell_which_ports_a_replica_has_and_which_are_chosen() -> None:
    assert marks("public") == {"port": True}
    assert marks("own") == {"port": True, "each_replica": True}
    assert marks("chosen") == {"port": True, "each_replica": True, "chosen": True}


@pytest.mark.parametrize("value", [0, -1, 65536])
def test_a_port_is_between_1_and_65535(value: int) -> None:
    with pytest.raises(ValidationError):
        Fields(public=value)


def test_only_a_chosen_port_may_be_left_open() -> None:
    assert Fields().chosen == 0
    assert Fields.model_fields["chosen"].description == "Chosen; 0: a free port"


@pytest.mark.parametrize("value", ["a b", "é", "a\n"])
def test_a_token_fits_into_a_header(value: str) -> None:
    with pytest.raises(ValidationError):
        Fields(secret=value)


def test_a_token_is_never_shown() -> None:
    assert "hush" not in repr(Fields(secret="hush"))


def test_a_field_can_have_a_variable_of_another_name() -> None:
    assert Fields.model_validate({"dapr_mode": "b"}).mode == "b"
