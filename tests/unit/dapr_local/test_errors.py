"""Each error of the local runner is a complete text, and one kind covers them all."""

import pytest

from dapr_local.errors import DataError, LocalError, PartDied, PartNotReady, PortTaken


@pytest.mark.parametrize("kind", [PartDied, PartNotReady])
def test_the_end_of_a_part_is_told_with_its_last_words(kind: type[PartDied]) -> None:
    error = kind("valkey", "exited with code 1", ". Its last lines:\nout of memory")
    assert str(error) == "valkey exited with code 1. Its last lines:\nout of memory"
    assert (error.name, error.how) == ("valkey", "exited with code 1")


def test_a_taken_port_is_told_with_its_owner_and_known_by_its_number() -> None:
    error = PortTaken(6379, " by redis-server (pid 7): stop that")
    assert str(error) == "port 6379 is taken by redis-server (pid 7): stop that"
    assert error.port == 6379


def test_a_caller_of_the_runner_can_catch_them_all() -> None:
    for error in (PartDied("a", "b", ""), PortTaken(1, ""), DataError("c")):
        assert isinstance(error, LocalError)
    assert issubclass(PartNotReady, PartDied)
    assert not issubclass(PartDied, PartNotReady)
