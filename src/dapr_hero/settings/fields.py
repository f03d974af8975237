"""The kinds of fields of `Settings`."""

from typing import Annotated, Any

from pydantic import Field

Port = Annotated[int, Field(ge=1, le=65535)]
# 0: the local runner chooses a free one.
ChosenPort = Annotated[int, Field(ge=0, le=65535)]


def port(default: int, meaning: str) -> Any:
    """Declare a port."""
    return Field(default, description=meaning, json_schema_extra={"port": True})


def named(name: str) -> Any:
    """Name the variable that sets a field, without the prefix."""
    return Field(validation_alias=name)


def own_port(default: int, meaning: str) -> Any:
    """Declare a port of inventory, of which each replica has its own."""
    return Field(default, description=meaning, json_schema_extra={"port": True, "each_replica": True})


def chosen_port(meaning: str, *, each_replica: bool = False) -> Any:
    """Declare a port that no user types, so the local runner chooses it."""
    marks: dict[str, Any] = {"port": True, "chosen": True, "each_replica": each_replica}
    return Field(0, description=f"{meaning}; 0: a free port", json_schema_extra=marks)


def token(meaning: str) -> Any:
    """Declare a token, which goes into a header and is never shown."""
    return Field("", pattern="^[!-~]*$", repr=False, description=meaning)
