from pathlib import Path

import pytest

from tools.site import with_links, write

REPOSITORY = "https://forge.example/me/dapr-hero"


@pytest.mark.parametrize(
    ("source", "link", "expected"),
    [
        ("README.md", "[a](docs/guides/run.md#ports)", "[a](guides/run.md#ports)"),
        ("README.md", "![a](docs/pictures/trace.png)", "![a](pictures/trace.png)"),
        ("docs/guides/run.md", "[a](../adr/README.md)", "[a](../adr/index.md)"),
        ("docs/guides/run.md", "[a](../../CONTRIBUTING.md)", "[a](../contributing.md)"),
        ("docs/adr/README.md", "[a](0001-lock-file.md)", "[a](0001-lock-file.md)"),
        ("docs/tutorial.md", "[a](../src/x.py)", f"[a]({REPOSITORY}/blob/main/src/x.py)"),
        ("docs/tutorial.md", "[a](#here) [b](https://dapr.io)", "[a](#here) [b](https://dapr.io)"),
        ("README.md", "[![CI](../../ci/badge.svg)](../../ci)", ""),
        (
            "README.md",
            "[![MIT](https://x/mit.svg)](LICENSE)",
            f"[![MIT](https://x/mit.svg)]({REPOSITORY}/blob/main/LICENSE)",
        ),
    ],
)
def test_links_lead_to_pages_of_the_site_or_to_the_repository(source: str, link: str, expected: str) -> None:
    assert with_links(link, source, REPOSITORY) == expected


def test_without_a_repository_a_link_to_its_files_is_text() -> None:
    assert with_links("see [the code](../src/x.py)", "docs/tutorial.md", "") == "see the code"


def test_pages_and_pictures_are_written(tmp_path: Path) -> None:
    (tmp_path / "docs/adr").mkdir(parents=True)
    for name in (
        "README.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "CHANGELOG.md",
        "docs/adr/README.md",
        "docs/slides.md",
    ):
        (tmp_path / name).write_text("[home](README.md)")
    (tmp_path / "docs/picture.svg").touch()
    write(tmp_path, tmp_path / "site", "")
    written = {path.relative_to(tmp_path / "site").as_posix() for path in (tmp_path / "site").rglob("*.*")}
    assert written == {
        "index.md",
        "contributing.md",
        "security-policy.md",
        "changelog.md",
        "adr/index.md",
        "picture.svg",
    }
