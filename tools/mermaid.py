"""Renders every Mermaid diagram of the documents, to find those that do not.

MERMAID_VERSION=x.y.z CHROMIUM=path python -m tools.mermaid
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

_BLOCK = re.compile(r"^```mermaid$.*?^```$", re.MULTILINE | re.DOTALL)


def diagrams(root: Path) -> dict[str, str]:
    """Return the fenced diagrams by page and number, such as docs/guides/deploy.md#1."""
    pages = [root / "README.md", *(root / "docs").rglob("*.md")]
    return {
        f"{page.relative_to(root)}#{number}": block
        for page in sorted(pages)
        for number, block in enumerate(_BLOCK.findall(page.read_text()), start=1)
    }


def render(block: str, folder: Path) -> str:
    """Render one fenced diagram in a folder; return the error, or ""."""
    (folder / "diagram.md").write_text(block + "\n")
    settings = {"args": ["--no-sandbox"], "executablePath": os.environ["CHROMIUM"]}
    (folder / "puppeteer.json").write_text(json.dumps(settings))
    package = f"@mermaid-js/mermaid-cli@{os.environ['MERMAID_VERSION']}"
    command = ["npx", "--yes", "--package", package, "--", "mmdc", "--quiet"]
    done = subprocess.run(  # noqa: S603
        [
            *command,
            "--puppeteerConfigFile",
            "puppeteer.json",
            "--input",
            "diagram.md",
            "--output",
            "rendered.md",
        ],
        cwd=folder,
        env={**os.environ, "PUPPETEER_SKIP_DOWNLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    return "" if done.returncode == 0 else (done.stderr or done.stdout).strip().split("\n")[0]


def main() -> int:
    """Render all diagrams; return 1 if one does not render, EX_TEMPFAIL if there is no renderer."""
    if not shutil.which("npx") or not os.environ.get("CHROMIUM"):
        sys.stderr.write("not checked: the diagrams need Node and Chromium: install both, or set CHROMIUM\n")
        return os.EX_TEMPFAIL
    failed = False
    for name, block in diagrams(Path()).items():
        with tempfile.TemporaryDirectory() as folder:
            if error := render(block, Path(folder)):
                sys.stderr.write(f"error: {name} does not render: {error}\n")
                failed = True
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
