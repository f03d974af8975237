"""Sentry: the certificate authority, alone and without Kubernetes."""

from pathlib import Path

from dapr_local.data import DataDir
from dapr_local.parts import readiness
from dapr_local.parts.part import Part, Stage
from dapr_local.supervise.process import Process

NAME = "sentry"
TRUST_DOMAIN = "public"
NAMESPACE = "default"
# https://docs.dapr.io/operations/configuration/configuration-overview/#sample-control-plane-configuration
_CONFIGURATION = f"""\
apiVersion: dapr.io/v1alpha1
kind: Configuration
metadata:
  name: sentry
spec:
  mtls:
    enabled: true
    controlPlaneTrustDomain: {TRUST_DOMAIN}
    workloadCertTTL: 24h
    allowedClockSkew: 15m
"""


def part(binary: Path, port: int, health_port: int, data: DataDir) -> Part:
    """Return Sentry with a new authority for each run: nothing of an earlier run is trusted, and nothing expires."""

    async def launch() -> Process:
        _credentials(data).mkdir(exist_ok=True, mode=0o700)
        configuration = data.run / "sentry.yaml"
        configuration.write_text(_CONFIGURATION)
        flags = [
            "--mode=standalone",
            f"--config={configuration}",
            f"--trust-domain={TRUST_DOMAIN}",
            f"--issuer-credentials={_credentials(data)}",
            "--listen-address=127.0.0.1",
            f"--port={port}",
            f"--healthz-port={health_port}",
            # Sentry 1.18 serves its health, and would serve its metrics, on every address, against its options.
            "--healthz-listen-address=127.0.0.1",
            "--enable-metrics=false",
        ]
        return Process(NAME, [binary, *flags], data.log(NAME))

    async def healthy() -> bool:
        return await readiness.http(f"http://127.0.0.1:{health_port}/healthz")

    return Part(NAME, Stage.AUTHORITY, launch, healthy)


def trust_anchors(data: DataDir) -> str:
    """Return the certificate of the authority in PEM, once Sentry is ready."""
    return (_credentials(data) / "ca.crt").read_text()


def _credentials(data: DataDir) -> Path:
    return data.run / "credentials"
