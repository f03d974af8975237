"""Measures the time of the first `make run`, with empty caches: the packages, Dapr, Zipkin and the start.

python -m benchmarks.first_run [build]

A copy of this repository runs with an empty home. Dapr's release is on loopback: its archives are made of the
binaries on this machine. With `build`, it cannot be reached, so that Dapr is built. The rest comes from the
package registries.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from dapr_hero import settings
from dapr_hero.local import runtime
from dapr_hero.local.chosen_ports import on_free_ports
from dapr_local.install.pins import VERSION
from dapr_local.install.runtime import archive_name
from dapr_local.progress import ConsoleReport

REPOSITORY = Path(__file__).parents[1]
UNREACHABLE = "http://127.0.0.1:1"


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and prints nothing."""

    def log_message(self, format: str, *args: object) -> None: ...


def publish(folder: Path) -> None:
    """Write the archives of a release, with the checksum file of each."""
    found = runtime.obtain(settings.load(), ConsoleReport())
    for name, binary in (("daprd", found.daprd), ("sentry", found.sentry)):
        archive = folder / archive_name(name)
        with tarfile.open(archive, "w:gz") as tar:
            tar.add(binary, name)
        checksum = hashlib.sha256(archive.read_bytes()).hexdigest()
        archive.with_name(f"{archive.name}.sha256").write_text(f"{checksum}  {archive.name}\n")
        sys.stdout.write(f"{archive.name}: {archive.stat().st_size:,} bytes\n")


def environment(home: Path, release_url: str) -> dict[str, str]:
    """Return an environment with an empty home, so with empty caches, and with free ports."""
    chosen = on_free_ports(data_dir=home / "data", dapr_release_url=release_url).environment()
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("XDG_")}
    return {**inherited, **chosen, "HOME": str(home), "PYTHONUNBUFFERED": "1"}


def seconds_until_ready(repository: Path, variables: dict[str, str]) -> float:
    """Return how long `make run` takes until the platform is ready, and stop it."""
    began = time.monotonic()
    with subprocess.Popen(  # noqa: S603
        ["make", "run", f"PYTHON={sys.executable}"],  # noqa: S607
        cwd=repository,
        env=variables,
        stdout=subprocess.PIPE,
        text=True,
        process_group=0,
    ) as process:
        for line in process.stdout or ():
            sys.stdout.write(f"  {time.monotonic() - began:5.1f} s  {line}")
            if re.match(r"ready in [\d.]+ s", line):
                seconds = time.monotonic() - began
                os.killpg(process.pid, 2)  # as Ctrl-C does
                process.communicate()
                return seconds
    raise SystemExit("error: the platform did not start; see above")


def main(build: bool) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        folder.chmod(0o755)  # PostgreSQL's account has to reach its data
        release = folder / "release" / f"v{VERSION}"
        release.mkdir(parents=True)
        publish(release)
        copy = folder / "repository"
        shutil.copytree(
            REPOSITORY, copy, ignore=shutil.ignore_patterns(".git", ".venv*", ".*_cache", ".hypothesis")
        )
        with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=release.parent)) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            url = UNREACHABLE if build else f"http://127.0.0.1:{server.server_port}"
            variables = environment(folder / "home", url)
            (folder / "home").mkdir()
            times = [seconds_until_ready(copy, variables) for _ in range(2)]
            server.shutdown()
    sys.stdout.write(f"first run: ready after {times[0]:.1f} s; second run: {times[1]:.1f} s\n")


if __name__ == "__main__":
    main("build" in sys.argv[1:])
