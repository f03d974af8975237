"""The layout of the source: which package may import which, and how large a file may be."""

from collections.abc import Iterator
from pathlib import Path

import dapr_hero
from dapr_hero.contract.mode import Mode
from tests.unit.imports import imports

ROOT = Path(dapr_hero.__file__).parent
REPOSITORY = Path(__file__).parents[2]
MAX_ROOT_MODULES = 6
MAX_LINES = 250
# From the lowest layer to the highest. A package imports from its own layer only itself.
LAYERS = (
    {"contract", "loopback"},
    {"settings"},
    {"sidecar"},
    {"service"},
    {"modes"},
    {"inventory", "products"},
    {"local"},
    {"cluster"},
    {"client"},
    {"testing"},
    {"cli"},
    {"__main__"},
)
LEVELS = {name: level for level, names in enumerate(LAYERS) for name in names}
# A service that is called: its client needs the stubs.
ALLOWED = {("inventory", "products.v1")}
GENERATED = ("_pb2.py", "_pb2_grpc.py")


def sources() -> list[Path]:
    return [path for path in ROOT.rglob("*.py") if not path.name.endswith(GENERATED)]


def module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imported(path: Path) -> Iterator[str]:
    """Yield the names that a file imports from `dapr_hero`, without that prefix."""
    names = (name.split(".", 1) for name in imports(path))
    yield from ("".join(rest) for package, *rest in names if package == "dapr_hero")


def is_allowed(importer: str, name: str) -> bool:
    package, other = importer.split(".")[0], name.split(".")[0]
    if package == other or other not in LEVELS:
        return True
    return LEVELS[other] < LEVELS[package] or any(
        package == who and name.startswith(what) for who, what in ALLOWED
    )


def test_every_package_has_a_layer() -> None:
    packages = {module(path).split(".")[0] for path in sources()} - {"__init__"}
    assert packages == LEVELS.keys()


def test_no_package_imports_from_its_own_layer_or_a_higher_one() -> None:
    wrong = [
        f"{module(path)} imports {name}"
        for path in sources()
        for name in imported(path)
        if not is_allowed(module(path), name)
    ]
    assert not wrong


def test_the_contract_imports_neither_a_web_framework_nor_dapr() -> None:
    foreign = {"starlette", "fastapi", "uvicorn", "aiohttp", "grpc", "dapr", "asyncpg"}
    for path in (ROOT / "contract").glob("*.py"):
        assert not foreign & {name.split(".")[0] for name in imports(path)}, path


def test_modules_have_no_circular_imports() -> None:
    known = {module(path) for path in sources()}
    needs = {
        module(path): {
            found for name in imported(path) for found in (name, name.rpartition(".")[0]) if found in known
        }
        - {module(path)}
        for path in sources()
    }
    while free := {name for name, others in needs.items() if not others & needs.keys()}:
        needs = {name: others for name, others in needs.items() if name not in free}
    assert not needs


def test_dapr_local_imports_nothing_of_dapr_hero() -> None:
    for path in (REPOSITORY / "src/dapr_local").rglob("*.py"):
        assert not list(imported(path)), path


def test_the_package_root_is_short() -> None:
    assert len(list(ROOT.glob("*.py"))) <= MAX_ROOT_MODULES


def test_every_file_is_short() -> None:
    others = [
        path
        for folder in ("src/dapr_local", "benchmarks", "tools")
        for path in (REPOSITORY / folder).rglob("*.py")
    ]
    lengths = {
        str(path.relative_to(REPOSITORY)): len(path.read_text().splitlines())
        for path in [*sources(), *others]
    }
    assert not {name: length for name, length in lengths.items() if length > MAX_LINES}


# tests/conformance has the modes, test_main runs the commands, and every platform test uses `testing`. The others
# hold no logic.
NOT_MIRRORED = {
    *(f"dapr_hero/cli/commands/{name}.py" for name in ("doctor", "get", "publish", "setup", "token", "up")),
    *(f"dapr_hero/modes/{mode.name.lower()}.py" for mode in Mode),
    "dapr_hero/testing.py",
    "dapr_hero/cluster/errors.py",
    "dapr_hero/contract/dead_letter.py",
    "dapr_hero/contract/error_body.py",
    "dapr_hero/local/program.py",
    "dapr_hero/sidecar/interface.py",
    "dapr_local/install/pins.py",
}


def test_every_module_has_its_mirrored_unit_test() -> None:
    source, tests = REPOSITORY / "src", REPOSITORY / "tests/unit"
    modules = {
        str(path.relative_to(source))
        for path in source.rglob("[!_]*.py")
        if not path.name.endswith(GENERATED) and path.name != "__init__.py"
    }
    mirrored = {
        module
        for module in modules
        if (tests / module.removeprefix("dapr_hero/")).with_name(f"test_{Path(module).name}").exists()
    }
    assert modules - mirrored == NOT_MIRRORED
