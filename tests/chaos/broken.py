"""A platform that was broken on purpose: the suite must see the loss."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import yaml

from dapr_hero.local import resources, sidecars
from dapr_hero.local.resources import Registration
from dapr_local.parts.daprd import Files


@contextmanager
def without_retries() -> Iterator[None]:
    """No resiliency policy and no dead-letter topic, which is how most applications on Dapr begin."""
    with mock.patch.object(sidecars, "write", _write):
        yield


def _write(config: str, target: Path, placeholders: Mapping[str, str], registration: Registration) -> Files:
    files = resources.write(config, target, placeholders, registration)
    folder = files.resources
    (folder / "resiliency.yaml").unlink(missing_ok=True)
    path = folder / "subscription.yaml"
    if path.exists():
        documents = list(yaml.safe_load_all(path.read_text()))
        for document in documents:
            document["spec"].pop("deadLetterTopic", None)
        path.write_text(yaml.safe_dump_all(documents))
    return files
