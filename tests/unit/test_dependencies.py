"""Each package that the code imports is declared by the extra that the code belongs to."""

import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.unit.imports import imports

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
OWN = {"dapr_hero", "dapr_local"}
# Namespaces that several packages share.
NAMESPACES = {
    "google.rpc": "googleapis-common-protos",
    "google.protobuf": "protobuf",
    "opentelemetry.sdk": "opentelemetry-sdk",
    "opentelemetry.exporter": "opentelemetry-exporter-otlp-proto-http",
    "opentelemetry.proto": "opentelemetry-exporter-otlp-proto-http",  # which needs it in its own version
    "opentelemetry": "opentelemetry-sdk",  # which needs the API in its own version
}


def normalized(requirement: str) -> str:
    return re.sub("[-_.]+", "-", re.split(r"[\[<>=!; ]", requirement)[0]).lower()


def declared(extra: str | None) -> set[str]:
    """Return the packages of an extra, with those of the extras that it includes and the base."""
    found = {normalized(each) for each in PROJECT["dependencies"]}
    for each in PROJECT["optional-dependencies"][extra] if extra else []:
        included = re.match(r"dapr-hero\[(\w+)\]", each)
        found |= declared(included[1]) if included else {normalized(each)}
    return found


def imported(file: Path) -> Iterator[str]:
    """Yield the packages that a file imports."""
    owners = packages_distributions()
    for name in imports(file):
        top = name.partition(".")[0]
        if top in sys.stdlib_module_names or top in OWN:
            continue
        space = next((package for space, package in NAMESPACES.items() if name.startswith(space)), None)
        yield space or normalized(owners.get(top, [top])[0])


def extra_of(file: Path) -> str | None:
    """Return the extra to which a file belongs; None for what products needs."""
    package, *names = file.relative_to(ROOT / "src").with_suffix("").parts
    if names[0] == "testing":
        return "testing"
    if names[-1] == "stream_trimmer":
        return "inventory"
    if package == "dapr_local" or names[0] in {"local", "cluster", "cli", "client"}:
        return "local"
    if names[0] == "inventory" or names[-1].startswith("sdk_"):
        return "inventory"
    return None


@pytest.mark.parametrize("file", sorted((ROOT / "src").rglob("*.py")), ids=lambda file: file.stem)
def test_each_import_is_declared(file: Path) -> None:
    assert set(imported(file)) - declared(extra_of(file)) == set()
