"""kubeconform with the schemas of Kubernetes and of Dapr, all of it from package registries.

Kubernetes' schemas are in the package kubernetes-validate. Dapr's are generated from the definitions in its
source by kubeconform's own script. The program and Dapr's schemas are kept in the user's cache folder.
"""

import json
import os
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from platformdirs import user_cache_path

from dapr_hero.cluster.preflight import OLDEST_KUBERNETES
from dapr_local.install import pins
from dapr_local.install.go import BuildError, run, toolchain
from dapr_local.progress import Report
from tools.go_programs import PROGRAMS, built

_PROGRAM = PROGRAMS["kubeconform"]
_DAPR = f"{pins.SOURCE}@v{pins.VERSION}"
# As both name their files: deployment-apps-v1.json, component-dapr-v1alpha1.json.
_NAME = "{{.ResourceKind}}{{.KindSuffix}}.json"


def findings(files: Sequence[Path], tools: Path, report: Report) -> Iterator[tuple[str, str]]:
    """Return the findings in the manifests: pairs of a file's stem and a line.

    They must fit the oldest Kubernetes that the platform takes and the newest one known. `tools` is the
    environment of requirements/checks.txt. Raises: BuildError when kubeconform or a schema cannot be had.
    """
    program, dapr = built(_PROGRAM, report), _dapr_schemas(report)
    schemas = Path(sysconfig.get_path("purelib", "venv", {"base": str(tools)}), "kubernetes_validate")
    for version in _versions(schemas / "kubernetes-json-schema"):
        report.say(
            f"kubeconform: {len(files)} builds against Kubernetes {version.name[1:5]}, Dapr {pins.VERSION}"
        )
        with tempfile.TemporaryDirectory() as folder:
            _usable(version, Path(folder))
            yield from _judged(program, [Path(folder), dapr], files)


def _judged(program: Path, schemas: Sequence[Path], files: Sequence[Path]) -> Iterator[tuple[str, str]]:
    places = [f"-schema-location={folder}/{_NAME}" for folder in schemas]
    command: list[str | Path] = [program, "-strict", "-verbose", "-output=json", *places, *files]
    done = subprocess.run(command, capture_output=True, text=True)  # noqa: S603
    found = json.loads(done.stdout)["resources"] if done.stdout else []
    if not found:
        raise BuildError(f"kubeconform looked at nothing: {done.stderr.strip()}")
    for each in found:
        if each["status"] != "statusValid":
            reason = each["msg"].partition("json#'")[2] or each["msg"]
            yield Path(each["filename"]).stem, f"{each['kind']} {each['name']}: {' '.join(reason.split())}"


def _versions(schemas: Path) -> list[Path]:
    """Return the strict schemas of the oldest and the newest Kubernetes."""
    known = {tuple(map(int, each.name[1:].split(".")[:2])): each for each in schemas.glob("*-local-strict")}
    if OLDEST_KUBERNETES not in known:
        raise BuildError(f"no schemas of Kubernetes {OLDEST_KUBERNETES} in {schemas}")
    return [known[OLDEST_KUBERNETES], known[max(known)]]


def _usable(version: Path, folder: Path) -> None:
    """Copy the schemas so that they refer to each other by file: their original addresses are not served."""
    for path in version.glob("*.json"):
        schema = json.loads(path.read_text())
        kept = {key: value for key, value in schema.items() if key not in ("$id", "$schema")}
        text = json.dumps(kept).replace('"/api/_definitions.json#', '"_definitions.json#')
        (folder / path.name).write_text(text)


def cache() -> Path:
    """Return the folder that keeps Dapr's schemas."""
    return user_cache_path("dapr-hero") / f"schemas-dapr-{pins.VERSION}"


def _dapr_schemas(report: Report) -> Path:
    """Return the folder of Dapr's schemas; they are generated if the cache does not have them."""
    if not cache().exists():
        report.say(f"Generating the schemas of Dapr {pins.VERSION}; they go to {cache()}")
        cache().parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="work-", dir=cache().parent) as work:
            _generate(Path(work), report).replace(cache())
    return cache()


def _generate(work: Path, report: Report) -> Path:
    go = toolchain(work, report)
    script = str(_PROGRAM.source(go, work) / "scripts" / "openapi2jsonschema.py")
    dapr = go.source(_DAPR, pins.SOURCE_SUM, work)
    crds = map(str, (dapr / "charts" / "dapr" / "crds").glob("*.yaml"))
    form = {"FILENAME_FORMAT": "{kind}-{group}-{version}", "DENY_ROOT_ADDITIONAL_PROPERTIES": "1"}
    schemas = work / "schemas"
    schemas.mkdir()
    run([sys.executable, script, *crds], schemas, environment={**os.environ, **form})
    return schemas
