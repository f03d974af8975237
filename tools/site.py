"""Writes the sources of the site: the documents, with links that work there.

The pages at the root of the repository become pages of the site. Links to its other files lead to the repository.

REPOSITORY_URL=https://… python -m tools.site FOLDER
"""

import os
import re
import shutil
import sys
from pathlib import Path, PurePosixPath

# Pages of the site by their files in the repository; all other pages are below docs/.
PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security-policy.md",
    "CHANGELOG.md": "changelog.md",
    "docs/adr/README.md": "adr/index.md",
}
# Text that may hold an image, as a badge does.
_LINK = re.compile(r"(?P<image>!?)\[(?P<text>(?:!\[[^\]]*\]\([^)]*\)|[^\]])*)\]\((?P<target>[^)\s]+)\)")


def write(root: Path, folder: Path, repository: str) -> None:
    """Write the sources into an empty folder; `repository` is the URL of the repository, or ""."""
    shutil.copytree(root / "docs", folder, ignore=shutil.ignore_patterns("README.md", "slides.md"))
    documents = [path.relative_to(root).as_posix() for path in (root / "docs").rglob("*.md")]
    for source in {*documents, *PAGES} - {"docs/slides.md"}:
        text = with_links((root / source).read_text(), source, repository)
        (folder / page_of(source)).write_text(text)


def page_of(path: str) -> str:
    """Return the page of the site that shows a file of the repository, or "" if none does."""
    return PAGES.get(path) or (path.removeprefix("docs/") if path.startswith("docs/") else "")


def with_links(markdown: str, source: str, repository: str) -> str:
    """Return the text of a document with each link to a file as a link of the site, or to the repository.

    Without a repository, such a link becomes its text.
    """
    here = PurePosixPath(page_of(source)).parent

    def link(found: re.Match[str]) -> str:
        text = _LINK.sub(link, found["text"])
        target, hash, anchor = found["target"].partition("#")
        if not target or "://" in target:
            return f"{found['image']}[{text}]({found['target']})"
        path = os.path.normpath(PurePosixPath(source).parent / target)
        if page := page_of(path):
            return f"{found['image']}[{text}]({os.path.relpath(page, here)}{hash}{anchor})"
        if repository and not path.startswith(".."):
            return f"[{text}]({repository}/blob/main/{path}{hash}{anchor})"
        return "" if found["image"] else text

    return _LINK.sub(link, markdown)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("error: give the folder to write")
    write(Path(), Path(sys.argv[1]), os.environ.get("REPOSITORY_URL", ""))
