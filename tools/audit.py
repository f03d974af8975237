"""Known vulnerabilities in the pinned packages, by pip-audit; it must be on PATH.

Exit codes: 0 all were checked and none is known, 1 some are known, 75 none is known as far as could be
checked, 2 pip-audit failed. pip-audit itself says 0 when it could check nothing, and 1 without a network.
"""

import json
import os
import subprocess
import sys
from typing import Any

REQUIREMENTS = "requirements/dev.txt"
_COMMAND = ["pip-audit", "--requirement", REQUIREMENTS, "--require-hashes", "--disable-pip"]
_QUIETLY = ["--format=json", "--progress-spinner=off"]
# What pip-audit says when its service does not answer, or answers with an error.
_UNREACHED = ("may be blocking this service", "ServiceError", "requests.exceptions")


def main() -> int:
    answer = subprocess.run([*_COMMAND, *_QUIETLY], capture_output=True, text=True, check=False)  # noqa: S603
    try:
        return _judge(json.loads(answer.stdout)["dependencies"])
    except (ValueError, KeyError):
        last = (answer.stderr.strip().splitlines() or ["it said nothing"])[-1]
        if any(words in answer.stderr for words in _UNREACHED):
            return _say(f"not checked: the vulnerability service does not answer ({last})", os.EX_TEMPFAIL)
        return _say(f"error: pip-audit failed: {last}", 2)


def _judge(packages: list[dict[str, Any]]) -> int:
    found = [_line(package, each) for package in packages for each in package.get("vulns", [])]
    skipped = [package["skip_reason"] for package in packages if "skip_reason" in package]
    for line in found:
        _say(line, 1)
    if skipped or not packages:
        example = f" ({skipped[0]})" if skipped else ""
        _say(f"not checked: {len(skipped)} of {len(packages)} packages{example}", os.EX_TEMPFAIL)
    if found:
        return 1
    return os.EX_TEMPFAIL if skipped or not packages else _say(f"checked: {len(packages)} packages", 0)


def _line(package: dict[str, Any], vulnerability: dict[str, Any]) -> str:
    fixed = ", ".join(vulnerability["fix_versions"]) or "no version"
    return f"vulnerable: {package['name']} {package['version']}: {vulnerability['id']}, fixed in {fixed}"


def _say(line: str, code: int) -> int:
    sys.stdout.write(line + "\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
