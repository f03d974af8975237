"""Checks the prose of this repository for patterns that make readers stumble.

python -m tools.prose
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

# A pattern, and what to write instead.
PATTERNS = {
    r"\banew\b": "again",
    r"\b(a|an|another|topic|process|thread) [a-z ]*of (its|their) own\b": "its own, or separate",
    r"\bof ours\b": "our",
    r"\bbeside\b": "next to, or in addition to",
    r"\b(no|some|any)body\b": "name the caller, or use the passive",
    r"\b(is|are|was|were) (said|told)\b": "is reported, or prints",
    r"\bsays so\b": "reports it",
    r"\bwho (has|is|wants|can)\b": "callers with",
    r"\bmeanwhile\b": "in the meantime",
    r"\bby (HTTP|gRPC)\b": "over HTTP, over gRPC",
    r"def test_(what|who|where|nobody|everybody)_": "the subject of the test as a noun",
    r'"""(What|Where|Who|How|Which|Whether)\b': "a noun or a verb first, not a clause",
    r"^\W*What (is|are|was|were|cannot|must|they|it) ": "a noun: the clause is the subject of the sentence",
}
_SOURCES = (
    "README.md",
    "CHANGELOG.md",
    "Makefile",
    "Dockerfile",
    "benchmarks",
    "docs",
    "k8s",
    "src",
    "tests",
)
_KINDS = {".md", ".py", ".yaml", ".mk", ""}
_GENERATED = "_pb2"
# Holds examples of each pattern.
_EXAMPLES = "test_prose.py"


class Finding(NamedTuple):
    """A line that matches a pattern."""

    path: Path
    line: int
    words: str
    advice: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.words!r}: write {self.advice}"


def findings(path: Path) -> Iterator[Finding]:
    """Yield the findings in one file."""
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        for pattern, advice in PATTERNS.items():
            if match := re.search(pattern, line):
                yield Finding(path, number, match[0].strip(), advice)


def files(root: Path) -> Iterator[Path]:
    """Yield the files with prose for readers, except generated ones."""
    for source in _SOURCES:
        path = root / source
        for each in [path] if path.is_file() else sorted(path.rglob("*")):
            if (
                each.is_file()
                and each.suffix in _KINDS
                and _GENERATED not in each.name
                and each.name != _EXAMPLES
            ):
                yield each


def main() -> int:
    """Print the findings; return the exit code."""
    found = [finding for path in files(Path()) for finding in findings(path)]
    for each in found:
        sys.stderr.write(f"{each}\n")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
