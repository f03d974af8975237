"""The four mode files have the same definitions in the same order, so two of them can be read side by side."""

import ast
import inspect
from pathlib import Path

import pytest

from dapr_hero import modes
from dapr_hero.contract.mode import Mode
from dapr_hero.sidecar import interface

FOLDER = Path(modes.__file__).parent
MAX_LINES = 150
PUBLIC = {
    "Sidecar": ["get_secret", "get_states", "save_states", "publish", "close"],
    "Listener": ["start", "stop"],
    "connect": [],
    "listen": [],
}
ROWS = ["direction", "calls out", "events in", "batches", "tokens"]

each_mode = pytest.mark.parametrize("mode", Mode)


def source(mode: Mode) -> str:
    return (FOLDER / f"{mode.name.lower()}.py").read_text()


def signature(function: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    kind = "async " if isinstance(function, ast.AsyncFunctionDef) else ""
    returns = function.returns and ast.unparse(function.returns)
    return f"{kind}{function.name}({ast.unparse(function.args)}) -> {returns}"


def functions(body: list[ast.stmt]) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [each for each in body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)]


def shared_methods(node: ast.stmt) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Return the methods that every mode has; daprd or a library calls the others, and `_` marks helpers."""
    body = node.body if isinstance(node, ast.ClassDef) else []
    return [each for each in functions(body) if each.name in PUBLIC[getattr(node, "name", "")]]


@each_mode
def test_a_mode_has_the_same_definitions_in_the_same_order(mode: Mode) -> None:
    definitions = [
        each
        for each in ast.parse(source(mode)).body
        if isinstance(each, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    assert [each.name for each in definitions] == list(PUBLIC)
    assert {each.name: [method.name for method in shared_methods(each)] for each in definitions} == PUBLIC


def test_the_signatures_of_all_modes_are_the_same() -> None:
    signatures = {
        tuple(
            signature(each)
            for node in tree.body
            for each in (shared_methods(node) if isinstance(node, ast.ClassDef) else functions([node]))
        )
        for tree in map(ast.parse, map(source, Mode))
    }
    assert len(signatures) == 1, signatures


def test_the_calls_of_a_mode_are_those_of_the_interface() -> None:
    declared = [
        name for name, _ in inspect.getmembers(interface.Sidecar, inspect.isfunction) if name[0] != "_"
    ]
    assert sorted(PUBLIC["Sidecar"]) == declared


@each_mode
def test_the_docstring_of_a_mode_is_a_table_with_the_same_rows(mode: Mode) -> None:
    lines = (ast.get_docstring(ast.parse(source(mode))) or "").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    assert [first for first, *_ in cells] == ROWS
    assert all(cell for row in cells for cell in row)
    assert cells[0][2] == "what this file does about it"


@each_mode
def test_a_mode_fits_on_a_few_screens(mode: Mode) -> None:
    assert len(source(mode).splitlines()) <= MAX_LINES


def test_the_folder_has_mode_files_only() -> None:
    names = {path.stem for path in FOLDER.glob("*.py")} - {"__init__"}
    assert names == {mode.name.lower() for mode in Mode}
