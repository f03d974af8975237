"""The inputs of the images. tests/docker has the tests of built images."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVICES = ["inventory", "products"]

# Imports a service as its image has it: of all that is installed here, only what is in its lock can be found.
_IMPORT = """
import importlib.metadata, importlib.util, re, sys

lock, *modules = sys.argv[1:]
allowed = set(re.findall(r"^([a-z0-9-]+)==", open(lock).read(), re.M)) | {"dapr-hero"}
owners = importlib.metadata.packages_distributions()

class Absent:
    def find_spec(self, name, path=None, target=None):
        owned = {re.sub("[-_.]+", "-", each).lower() for each in owners.get(name.partition(".")[0], ())}
        if owned and not owned & allowed:
            raise ModuleNotFoundError(f"not in {lock}: {name}", name=name)

sys.meta_path.insert(0, Absent())
for module in modules:
    importlib.import_module(module)
"""


def pins(name: str) -> dict[str, str]:
    """The versions in a lock; a package may have one for each Python."""
    lines = (ROOT / "requirements" / f"{name}.txt").read_text().splitlines()
    pairs = [line.rstrip("\\ ").split("==", 1) for line in lines if "==" in line and not line.startswith(" ")]
    return {
        f"{package}; {marked.partition(' ; ')[2]}": marked.partition(" ; ")[0] for package, marked in pairs
    }


@pytest.mark.parametrize("name", [*SERVICES, "build"])
def test_a_lock_pins_with_hashes(name: str) -> None:
    lines = (ROOT / "requirements" / f"{name}.txt").read_text().splitlines()
    packages = [number for number, line in enumerate(lines) if not line.startswith(" ")]
    assert packages
    assert all("==" in lines[each] and "--hash=sha256:" in lines[each + 1] for each in packages)


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_has_the_versions_that_the_tests_have(service: str) -> None:
    assert pins(service).items() <= pins("dev").items()


def test_products_has_nothing_that_inventory_has_not() -> None:
    assert pins("products").items() < pins("inventory").items()


@pytest.mark.parametrize(
    ("service", "modules"),
    [
        ("products", ["dapr_hero.products.__main__"]),
        (
            "inventory",
            ["dapr_hero.inventory.__main__"]
            + [f"dapr_hero.modes.{mode}" for mode in ("sdk_http", "sdk_grpc", "custom_http", "custom_grpc")],
        ),
    ],
)
def test_a_service_imports_nothing_but_its_own_packages(service: str, modules: list[str]) -> None:
    lock = str(ROOT / "requirements" / f"{service}.txt")
    done = subprocess.run(
        [sys.executable, "-c", _IMPORT, lock, *modules], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_wheel_is_built_with_what_pyproject_asks_for() -> None:
    required = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]
    assert {each.partition(">=")[0] for each in required} <= {key.partition(";")[0] for key in pins("build")}


@pytest.mark.parametrize(
    ("docker", "words"),
    [("no-such-docker", "is not installed"), ("false", "daemon does not answer")],
)
def test_without_docker_make_says_so_in_a_line(docker: str, words: str) -> None:
    # Under another make, it would say where it is.
    command = ["make", "--no-print-directory", "docker-build", f"DOCKER={docker}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    error, *rest = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (2, "")
    assert error.startswith("error: ")
    assert words in error
    assert all(line.startswith("make") for line in rest)
