"""The trimmer in the cluster agrees with the code: the same module, and every topic."""

from importlib.util import find_spec

from dapr_hero.cluster.credentials import INFRASTRUCTURE
from dapr_hero.contract.routing import subscriptions
from dapr_hero.settings import Settings
from tests.unit.cluster.files import container, one

DEFAULTS = Settings.model_construct()


def trimmer() -> dict[str, object]:
    return container(one("base/stream-trimmer", "Deployment", "stream-trimmer"))


def test_it_trims_every_topic() -> None:
    arguments = trimmer()["args"]
    assert isinstance(arguments, list)
    topics = [each for each in arguments if not each.startswith("--")]
    assert topics == [each.topic.name for each in subscriptions(DEFAULTS.topics)]
    assert f"--address=valkey.{INFRASTRUCTURE}:{DEFAULTS.valkey_port}" in arguments


def test_it_runs_the_module_that_the_local_runner_runs() -> None:
    command = trimmer()["command"]
    assert isinstance(command, list)
    assert command[:3] == ["/app/bin/python", "-P", "-m"]
    assert find_spec(command[3])
