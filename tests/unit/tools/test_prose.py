from pathlib import Path

import pytest

from tools import prose


@pytest.mark.parametrize(
    "line",
    [
        "It starts anew.",
        "Each has a topic of its own.",
        "Nobody waits for it: nobody can.",
        "An error is told in one line.",
        "It speaks to daprd by gRPC.",
        "# What is parked comes back.",
    ],
)
def test_a_banned_pattern_is_found_with_advice(tmp_path: Path, line: str) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"A good line.\n{line}\n")
    [found] = prose.findings(page)
    assert found.line == 2
    assert found.advice


def test_plain_english_passes(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("The event waits in its own topic and is retried over gRPC.\n")
    assert not list(prose.findings(page))


def test_generated_code_is_left_out(tmp_path: Path) -> None:
    folder = tmp_path / "src"
    folder.mkdir()
    (folder / "products_pb2.py").write_text("anew\n")
    (folder / "app.py").write_text("fine\n")
    assert [path.name for path in prose.files(tmp_path)] == ["app.py"]
