"""The parts of the platform, their order and their ports."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dapr_hero.local import assembly
from dapr_hero.local.chosen_ports import choose
from dapr_hero.local.data import open_data_dir
from dapr_hero.settings import Settings
from dapr_local.data import DataDir
from dapr_local.errors import LocalError
from dapr_local.install.runtime import DaprRuntime
from dapr_local.parts.daprd import Daprd
from dapr_local.progress import ConsoleReport

RUNTIME = DaprRuntime(Path("daprd"), Path("sentry"))


@pytest.fixture
def data(tmp_path: Path) -> Iterator[DataDir]:
    data = open_data_dir(Settings(data_dir=tmp_path / "data"))
    yield data
    data.close()


def test_a_part_that_does_not_exist(data: DataDir) -> None:
    with pytest.raises(LocalError, match=r"^no part is named redis; there are collector, "):
        assembly.parts(Settings(), data, RUNTIME, ConsoleReport(), chosen={"redis", "valkey"})


def test_the_parts_and_their_order(data: DataDir) -> None:
    parts = assembly.parts(choose(Settings())[0], data, RUNTIME, ConsoleReport())

    stores = {"valkey", "postgres", "sentry"}
    assert parts.keys() == assembly.ALL
    assert {name for name, part in parts.items() if not part.needs} == {*stores, "collector", "zipkin"}
    assert parts["inventory"].needs == parts["inventory-daprd"].needs == stores
    assert parts["products"].needs == parts["products-daprd"].needs == {"valkey", "sentry"}
    used = [port for part in parts.values() for port in part.ports.values()]
    assert len(set(used)) == len(used)


def test_each_port_has_the_variable_that_sets_it(data: DataDir) -> None:
    settings = choose(Settings(dapr_mode="custom-grpc"))[0]
    parts = assembly.parts(settings, data, RUNTIME, ConsoleReport())

    assert parts["inventory"].ports == {
        "DAPR_HERO_INVENTORY_PORT": 3000,
        "DAPR_HERO_DEAD_LETTERS_PORT": 3003,
        "DAPR_HERO_CUSTOM_GRPC_PORT": 4001,
    }
    assert parts["inventory-daprd"].ports == {
        "DAPR_HTTP_PORT": 3500,
        "DAPR_GRPC_PORT": 50001,
        "DAPR_HERO_INVENTORY_DAPR_INTERNAL_PORT": settings.inventory_dapr_internal_port,
        "DAPR_HERO_INVENTORY_DAPR_METRICS_PORT": settings.inventory_dapr_metrics_port,
    }


def test_replicas_and_other_sidecars_come_on_top_of_the_chosen_parts(data: DataDir) -> None:
    replica = Settings().replica(2)
    other = Daprd("caller", "elsewhere", 1, 2, 3, 4, config="caller")

    parts = assembly.parts(
        Settings(), data, RUNTIME, ConsoleReport(), chosen={"valkey"}, replicas=[replica], extra=[other]
    )

    assert list(parts) == ["valkey", "inventory-2", "inventory-2-daprd", "caller-daprd"]
    assert parts["inventory-2"].ports["DAPR_HERO_INVENTORY_PORT (replica 2)"] == 3100
    assert set(parts["caller-daprd"].ports.values()) == {1, 2, 3, 4}


def test_products_has_the_ports_of_both_its_servers(data: DataDir) -> None:
    parts = assembly.parts(Settings(), data, RUNTIME, ConsoleReport())

    assert parts["products"].ports == {"DAPR_HERO_PRODUCTS_PORT": 50151, "DAPR_HERO_PRODUCTS_HTTP_PORT": 3004}
