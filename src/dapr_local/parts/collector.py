"""The OpenTelemetry Collector: spans in by OTLP, out to Zipkin.

https://opentelemetry.io/docs/collector/
"""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from signal import Signals

import aiohttp

from dapr_local.data import DataDir
from dapr_local.parts.part import Part, Stage
from dapr_local.parts.readiness import HTTP_TIMEOUT
from dapr_local.supervise.process import Process

NAME = "collector"


def part(binary: Callable[[], Awaitable[Path]], port: int, zipkin_port: int, data: DataDir) -> Part:
    """Return the Collector on loopback. It keeps nothing, so it is stopped at once."""
    endpoint = f"http://127.0.0.1:{port}/v1/traces"

    async def launch() -> Process:
        configuration = data.run / f"{NAME}.yaml"
        configuration.write_text(json.dumps(_configuration(port, zipkin_port)))
        command: list[str | Path] = [await binary(), f"--config=file:{configuration.name}"]
        # A relative path: the Collector would expand a `$` in an absolute one.
        return Process(NAME, command, data.log(NAME), stop_signal=Signals.SIGKILL, folder=data.run)

    async def serves() -> bool:
        try:
            async with (
                aiohttp.ClientSession(timeout=HTTP_TIMEOUT) as session,
                session.post(endpoint, json={"resourceSpans": []}) as answer,
            ):
                return answer.ok
        except (aiohttp.ClientError, OSError):
            return False

    return Part(NAME, Stage.STORE, launch, serves, ready_seconds=60.0)


def _configuration(port: int, zipkin_port: int) -> dict[str, object]:
    return {
        "receivers": {"otlp": {"protocols": {"http": {"endpoint": f"127.0.0.1:{port}"}}}},
        "exporters": {"zipkin": {"endpoint": f"http://127.0.0.1:{zipkin_port}/api/v2/spans"}},
        "service": {
            "pipelines": {"traces": {"receivers": ["otlp"], "exporters": ["zipkin"]}},
            # Its own metrics would be on another port.
            "telemetry": {"metrics": {"level": "none"}, "logs": {"level": "warn"}},
        },
    }
