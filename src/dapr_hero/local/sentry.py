"""Sentry: the certificate authority, alone and without Kubernetes."""

from pathlib import Path

from dapr_hero.local.data import DataDir
from dapr_hero.local.resources import render
from dapr_hero.settings import Settings
from dapr_local.parts import readiness
from dapr_local.parts.part import Part, Stage
from dapr_local.supervise.process import Process

NAME = "sentry"
TRUST_DOMAIN = "public"
NAMESPACE = "default"


def part(settings: Settings, data: DataDir, binary: Path) -> Part:
    """Sentry with a new authority for each run: nothing of an earlier run is trusted, and nothing expires."""

    async def launch() -> Process:
        _credentials(data).mkdir(exist_ok=True, mode=0o700)
        configuration, _ = render(NAME, data.run / NAME, {})
        argv: list[str | Path] = [binary, *_flags(settings, data), f"--config={configuration}"]
        return Process(NAME, argv, data.log(NAME))

    async def healthy() -> bool:
        return await readiness.http(f"http://127.0.0.1:{settings.sentry_health_port}/healthz")

    ports = {
        "DAPR_HERO_SENTRY_PORT": settings.sentry_port,
        "DAPR_HERO_SENTRY_HEALTH_PORT": settings.sentry_health_port,
    }
    return Part(NAME, Stage.AUTHORITY, launch, healthy, ports=ports)


def _flags(settings: Settings, data: DataDir) -> list[str]:
    return [
        "--mode=standalone",
        f"--trust-domain={TRUST_DOMAIN}",
        f"--issuer-credentials={_credentials(data)}",
        "--listen-address=127.0.0.1",
        f"--port={settings.sentry_port}",
        f"--healthz-port={settings.sentry_health_port}",
        # Sentry 1.18 serves its health, and would serve its metrics, on every address, against its options.
        "--healthz-listen-address=127.0.0.1",
        "--enable-metrics=false",
    ]


def trust_anchors(data: DataDir) -> str:
    """Return the certificate of the authority in PEM, once Sentry is ready."""
    return (_credentials(data) / "ca.crt").read_text()


def _credentials(data: DataDir) -> Path:
    return data.run / "credentials"
