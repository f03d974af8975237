from dapr_local.errors import PartDied, PortTaken


def test_a_death_names_the_part_its_end_and_the_last_lines_of_its_log() -> None:
    death = PartDied("valkey", "exited with code 1", "; the end of valkey.log:\n  no memory")
    assert str(death) == "valkey exited with code 1; the end of valkey.log:\n  no memory"
    assert (death.name, death.how) == ("valkey", "exited with code 1")


def test_a_taken_port_is_known_to_the_caller() -> None:
    taken = PortTaken(6379, " by redis (pid 7): stop that")
    assert (str(taken), taken.port) == ("port 6379 is taken by redis (pid 7): stop that", 6379)
