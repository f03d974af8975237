"""The Collector's arguments, its configuration and its readiness."""

from pathlib import Path

import yaml

from dapr_local.data import DataDir
from dapr_local.parts import collector
from dapr_local.parts.part import Stage
from dapr_local.ports import free_ports
from tests.unit.service.otlp_server import otlp_server

BINARY = Path("/somewhere/otelcol")


async def binary() -> Path:
    return BINARY


async def test_it_takes_spans_on_loopback_and_hands_them_to_zipkin(data: DataDir) -> None:
    part = collector.part(binary, 4318, 9411, data)
    process = await part.launch()

    assert (part.name, part.stage, process.log) == ("collector", Stage.STORE, data.log("collector"))
    file = data.run / "collector.yaml"
    assert process.argv == [BINARY, "--config=file:collector.yaml"]
    assert process.folder == data.run
    configuration = yaml.safe_load(file.read_text())
    assert configuration["receivers"]["otlp"]["protocols"] == {"http": {"endpoint": "127.0.0.1:4318"}}
    assert configuration["exporters"]["zipkin"]["endpoint"] == "http://127.0.0.1:9411/api/v2/spans"
    [pipeline] = configuration["service"]["pipelines"].values()
    assert pipeline == {"receivers": ["otlp"], "exporters": ["zipkin"]}


async def test_it_is_ready_when_it_takes_spans(data: DataDir) -> None:
    [port] = free_ports(1)
    assert not await collector.part(binary, port, 9411, data).ready()
    with otlp_server() as server:
        assert await collector.part(binary, int(server.endpoint.rpartition(":")[2]), 9411, data).ready()
