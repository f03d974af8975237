"""kubectl: the one way to the cluster, which is that of KUBECONFIG."""

import json
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any

from dapr_hero.cluster.errors import ClusterError

# As the API has them: https://kubernetes.io/docs/reference/kubernetes-api/
Resource = dict[str, Any]

_TIMEOUT_SECONDS = 120
# As klog writes it: E1125 19:12:59.631988 24853 run.go:72] "command failed" err="what has failed"
_LOGGED = re.compile(r'[IWEF]\d{4} [^]]+\] (?:.*? err=")?(.*?)"?$')


def run(*arguments: str, given: str | None = None, timeout: float = _TIMEOUT_SECONDS) -> str:
    """Run kubectl with `given` as its input; return its output. Raises: ClusterError with its message."""
    program = shutil.which("kubectl")
    if program is None:
        raise ClusterError("kubectl is not installed: https://kubernetes.io/docs/tasks/tools/")
    try:
        done = subprocess.run(  # noqa: S603
            [program, *arguments], input=given, capture_output=True, text=True, timeout=timeout
        )
    except subprocess.TimeoutExpired:
        raise ClusterError(f"kubectl {arguments[0]} does not end within {timeout:.0f} s") from None
    if done.returncode:
        raise ClusterError(_first_error(done.stderr) or f"kubectl {arguments[0]} failed")
    return done.stdout


def get(kind: str, *arguments: str) -> Resource:
    """Return a resource, or a list of them under `items`. Raises: ClusterError."""
    found: Resource = json.loads(run("get", kind, *arguments, "--output=json"))
    return found


def find(kind: str, *arguments: str) -> Resource | None:
    """Return a resource, or None if it does not exist. Raises: ClusterError."""
    found = run("get", kind, *arguments, "--output=json", "--ignore-not-found")
    return json.loads(found) if found else None


def apply(*resources: Mapping[str, Any]) -> None:
    """Make them so. Raises: ClusterError."""
    apply_text(_list(resources))


def apply_text(documents: str) -> None:
    """Apply documents in YAML or JSON."""
    run("apply", "--filename=-", given=documents)


def delete(*resources: Mapping[str, Any], timeout: float) -> None:
    """Remove those that are there, and wait until they are gone. Raises: ClusterError."""
    run("delete", "--ignore-not-found", "--filename=-", given=_list(resources), timeout=timeout)


def _list(resources: Sequence[Mapping[str, Any]]) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": resources})


def _first_error(stderr: str) -> str:
    """Return the first line: kubectl prints the cause first and hints on its usage last.

    Lines of its log count only if it prints nothing else.
    """
    lines = [line.strip() for line in stderr.splitlines() if line.strip() and not line.startswith("Warning:")]
    said = [line for line in lines if not _LOGGED.match(line)]
    logged = [found[1].replace('\\"', '"') for line in lines if (found := _LOGGED.match(line))]
    return next(iter([*said, *logged]), "")
