from collections.abc import Iterator

import pytest

from dapr_hero.contract.mode import Mode
from dapr_hero.inventory import side_topics
from dapr_hero.local.chosen_ports import on_free_ports
from tests.fuzz import profiles
from tests.fuzz.host import Host, Listening
from tests.fuzz.tally import Count, Tally, table

_TALLY = pytest.StashKey[Tally]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_TALLY] = Tally()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    entries = config.stash[_TALLY].entries
    if not entries:
        return
    seed = config.getoption("--hypothesis-seed")
    again = f"seed {seed}: `make fuzz SEED={seed}` sends the same" if seed else "always the same inputs"
    terminalreporter.section(f"fuzz: profile {profiles.NAME}, {again}")
    for line in table(entries):
        terminalreporter.line(line)


@pytest.fixture
def tally(pytestconfig: pytest.Config) -> Tally:
    return pytestconfig.stash[_TALLY]


@pytest.fixture
def seed(pytestconfig: pytest.Config) -> int:
    """The one that Hypothesis was given; without one, always the same."""
    return int(pytestconfig.getoption("--hypothesis-seed") or 0)


@pytest.fixture
def count(request: pytest.FixtureRequest, tally: Tally) -> Iterator[Count]:
    """The counter of the entry that this test is, named as the test is."""
    module = request.node.path.stem.removeprefix("test_").replace("_", " ")
    name = request.node.name.removeprefix("test_").replace("_", " ")
    with tally.entry(f"{module}: {name}") as count:
        yield count


@pytest.fixture(scope="session")
def host() -> Iterator[Host]:
    with Host() as host:
        yield host


@pytest.fixture(scope="module")
def impatient() -> Iterator[None]:
    """A broker that is down is called once: it does not recover during the test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(side_topics, "_TIMEOUT_SECONDS", -1.0)
        yield


def _listening(host: Host, mode: Mode) -> Iterator[Listening]:
    with host.listening(on_free_ports(dapr_mode=mode)) as listening:
        yield listening


@pytest.fixture(scope="module", params=[Mode.SDK_HTTP, Mode.CUSTOM_HTTP], ids=lambda mode: mode.value)
def http(request: pytest.FixtureRequest, host: Host, impatient: None) -> Iterator[Listening]:
    yield from _listening(host, request.param)


@pytest.fixture(scope="module", params=[Mode.SDK_GRPC, Mode.CUSTOM_GRPC], ids=lambda mode: mode.value)
def grpc(request: pytest.FixtureRequest, host: Host, impatient: None) -> Iterator[Listening]:
    yield from _listening(host, request.param)
