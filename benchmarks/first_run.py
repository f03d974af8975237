"""How long the first run takes on a machine whose caches are empty, with Dapr's release archives on loopback.

    python benchmarks/first_run.py

The archives are made of the binaries that are on this machine. Zipkin comes from its registry.
"""

import functools
import hashlib
import os
import platform
import re
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from dapr_hero import settings
from dapr_hero.local import runtime
from dapr_hero.local.ports import on_free_ports
from dapr_hero.local.report import ConsoleReport

_MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None: ...


def publish(folder: Path) -> None:
    """Write the archives of a release and their checksums."""
    found = runtime.obtain(settings.load(), ConsoleReport())
    for name, binary in (("daprd", found.daprd), ("sentry", found.sentry)):
        machine = platform.machine()
        archive = folder / f"{name}_{sys.platform}_{_MACHINES.get(machine, machine)}.tar.gz"
        with tarfile.open(archive, "w:gz") as tar:
            tar.add(binary, name)
        checksum = hashlib.sha256(archive.read_bytes()).hexdigest()
        archive.with_name(f"{archive.name}.sha256").write_text(f"{checksum}  {archive.name}\n")


def start(home: Path, release_url: str) -> tuple[float, float]:
    """Start the platform; return the seconds until it is ready, and those of its own start."""
    chosen = on_free_ports(data_dir=home / "data", dapr_release_url=release_url)
    environment = {
        **os.environ,
        **chosen.environment(),
        "HOME": str(home),
        "XDG_CACHE_HOME": str(home / "cache"),
    }
    command = [sys.executable, "-m", "dapr_hero", "up"]
    began = time.monotonic()
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        for line in process.stdout or ():
            sys.stdout.write(f"  {line}")
            if ready := re.search(r"ready in ([\d.]+) s", line):
                seconds = time.monotonic() - began
                process.terminate()
                process.communicate()
                return seconds, float(ready[1])
    raise SystemExit("error: the platform did not start; see above")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # PostgreSQL's account has to reach its data
        home = Path(folder) / "home"
        release = Path(folder) / "release" / f"v{runtime.VERSION}"
        for each in (home, release):
            each.mkdir(parents=True, mode=0o755)
        publish(release)
        handler = functools.partial(_Quiet, directory=release.parent)
        with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            url = f"http://127.0.0.1:{server.server_port}"
            for name in ("first run", "second run"):
                seconds, own = start(home, url)
                sys.stdout.write(
                    f"{name}: ready after {seconds:.1f} s, of which the start took {own:.1f} s\n"
                )
            server.shutdown()


if __name__ == "__main__":
    main()
