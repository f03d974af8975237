"""The length of the fuzz tests: short in every test run, long with `make fuzz`."""

import os

from hypothesis import HealthCheck, Phase, settings

# Inputs are large and each is a round trip, so speed is no sign of a fault here; a hang is, and the clients
# have deadlines of their own. What a seed has made is to come again, so nothing is kept between two runs.
_common = settings(
    deadline=None,
    database=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
)
settings.register_profile("short", _common, max_examples=100, derandomize=True)
settings.register_profile("long", _common, max_examples=10_000)

NAME = os.environ.get("FUZZ_PROFILE", "short")
PROFILE = settings.get_profile(NAME)
