"""daprd: the sidecar of one app id, with its resources."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from dapr_local.data import DataDir
from dapr_local.parts import readiness, sentry
from dapr_local.parts.part import Part, Stage
from dapr_local.supervise.process import Process

GRACEFUL_SECONDS = 5


@dataclass(frozen=True)
class Daprd:
    """The app id of a sidecar, and its ports."""

    app_id: str
    namespace: str
    http_port: int
    grpc_port: int
    internal_port: int
    metrics_port: int
    app_port: int | None = None
    """The port of the app; None: an app that only calls."""
    app_protocol: str = "http"
    config: str = ""
    """The name of its set of files, which `Mesh.write_files` knows."""
    part_name: str = ""
    """For another sidecar of the same app id; by default the name follows from the app id."""

    @property
    def name(self) -> str:
        """The name of the part."""
        return self.part_name or f"{self.app_id}-daprd"


class Files(NamedTuple):
    """The paths of a sidecar's own files: its configuration, and the folder of its resources."""

    configuration: Path
    resources: Path


@dataclass(frozen=True)
class Mesh:
    """The options that all sidecars of a platform share."""

    binary: Path
    data: DataDir
    write_files: Callable[[str, Path], Files]
    """Writes the files of a `Daprd.config` into a folder."""
    sentry_port: int | None = None
    """The port of Sentry; None: no mTLS, and so no access control."""
    api_token: str = ""
    """The token that daprd wants of its callers."""
    app_token: str = ""
    """The token that the apps want of daprd."""
    log_level: str = "info"
    max_message_bytes: int = 4 * 1024 * 1024
    apps_subscribe: bool = True
    """True: daprd asks the apps for their subscriptions, in addition to those among the resources."""


def part(name: str, sidecar: Daprd, mesh: Mesh, needs: frozenset[str], *, with_app: bool) -> Part:
    """Return the sidecar as a part.

    `with_app`: it is ready when its app listens too, not already when its API does.
    See https://docs.dapr.io/operations/resiliency/health-checks/sidecar-health/
    """
    health = "healthz" if with_app else "healthz/outbound"

    async def launch() -> Process:
        target = mesh.data.run / name
        files = mesh.write_files(sidecar.config, target)
        argv: list[str | Path] = [
            mesh.binary,
            *_flags(sidecar, mesh),
            # Relative ones: daprd takes a comma in a path for the end of it.
            f"--config={files.configuration.relative_to(target)}",
            f"--resources-path={files.resources.relative_to(target)}",
        ]
        return Process(name, argv, mesh.data.log(name), env=_environment(sidecar, mesh), folder=target)

    async def healthy() -> bool:
        return await readiness.http(f"http://127.0.0.1:{sidecar.http_port}/v1.0/{health}")

    return Part(
        name,
        Stage.SIDECAR,
        launch,
        healthy,
        needs=needs,
        ready_seconds=60.0,
        stop_seconds=GRACEFUL_SECONDS + 5.0,
    )


def _flags(sidecar: Daprd, mesh: Mesh) -> list[str]:
    """Return the arguments; see https://docs.dapr.io/reference/arguments-annotations-overview/."""
    flags = [
        f"--app-id={sidecar.app_id}",
        f"--dapr-http-port={sidecar.http_port}",
        f"--dapr-grpc-port={sidecar.grpc_port}",
        "--dapr-listen-addresses=127.0.0.1",
        f"--dapr-internal-grpc-port={sidecar.internal_port}",
        "--dapr-internal-grpc-listen-address=127.0.0.1",
        f"--metrics-port={sidecar.metrics_port}",
        "--metrics-listen-address=127.0.0.1",
        f"--dapr-graceful-shutdown-seconds={GRACEFUL_SECONDS}",
        f"--max-body-size={mesh.max_message_bytes}",
        f"--log-level={mesh.log_level}",
        "--placement-host-address=",
        "--scheduler-host-address=",
    ]
    if sidecar.app_port is not None:
        flags += [f"--app-port={sidecar.app_port}", f"--app-protocol={sidecar.app_protocol}"]
    if not mesh.apps_subscribe:
        # With two registrations of one topic the app's own would win, and lose bulk and dead letters.
        flags.append("--disable-init-endpoints=subscribe")
    if mesh.sentry_port is not None:
        flags += [
            "--enable-mtls",
            f"--sentry-address=127.0.0.1:{mesh.sentry_port}",
            f"--control-plane-trust-domain={sentry.TRUST_DOMAIN}",
            f"--control-plane-namespace={sentry.NAMESPACE}",
        ]
    return flags


def _environment(sidecar: Daprd, mesh: Mesh) -> dict[str, str]:
    environment = {
        "NAMESPACE": sidecar.namespace,
        "DAPR_HOST_IP": "127.0.0.1",
        # Not among the arguments, which everybody on the machine can read.
        "DAPR_API_TOKEN": mesh.api_token,
        "APP_API_TOKEN": mesh.app_token,
    }
    if mesh.sentry_port is not None:
        environment["DAPR_TRUST_ANCHORS"] = sentry.trust_anchors(mesh.data)
    return environment
