"""Generates messages/, one sample event per kind.

python -m tools.samples [--check]
"""

import json
import sys
from pathlib import Path

from dapr_hero.contract.kinds import KINDS
from tools.generated import write_or_check

FOLDER = Path("messages")


def texts() -> dict[Path, str]:
    """Return the text of each file by its path in the repository."""
    return {FOLDER / f"{kind.name}.json": json.dumps(kind.sample, indent=2) + "\n" for kind in KINDS}


if __name__ == "__main__":
    sys.exit(write_or_check(texts(), "make generate-samples"))
