"""Docker by its own client; containers are as restricted as Kubernetes' Pod Security asks for, and more."""

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

DOCKER = os.environ.get("DOCKER", "docker")
_RESTRICTED = ("--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges")


def docker(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """A command of Docker's client, with what it says; it must succeed."""
    environment = {**os.environ, "DOCKER_BUILDKIT": "1"}
    done = subprocess.run(
        [DOCKER, *arguments], input=stdin, capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    return done


@contextmanager
def container(image: str, *options: str, env: Mapping[str, str] | None = None) -> Iterator[str]:
    """The id of a container that runs until the end of the context; nothing of it stays."""
    variables = [f"--env={key}={value}" for key, value in (env or {}).items()]
    id = docker("run", "--detach", *_RESTRICTED, *variables, *options, image).stdout.strip()
    try:
        yield id
    finally:
        docker("rm", "--force", "--volumes", id)


def ended_well(id: str) -> bool:
    """Return whether the container stops by itself and without error when asked to."""
    docker("stop", "--time=20", id)
    return docker("inspect", "--format={{.State.ExitCode}}", id).stdout.strip() == "0"
