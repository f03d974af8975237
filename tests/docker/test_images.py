"""The images of the services, built and started: `make docker-test`."""

import json
import subprocess
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import grpc.aio
import httpx2 as httpx
import pytest

from dapr_hero.contract.mode import Mode
from dapr_hero.local.chosen_ports import on_free_ports
from dapr_hero.products.v1 import products_pb2 as pb
from dapr_hero.products.v1.products_pb2_grpc import ProductsStub
from dapr_hero.settings import Settings
from dapr_hero.testing import eventually
from tests.conformance.fake_sidecar import Deliverer, FakeSidecar
from tests.docker.containers import container, docker, ended_well
from tests.events import event
from tests.unit.test_images import ROOT, pins

if TYPE_CHECKING:
    from dapr_hero.products.v1.products_pb2_grpc import ProductsAsyncStub

pytestmark = [pytest.mark.timeout(900), pytest.mark.usefixtures("_built")]

SERVICES = ["inventory", "products"]
INVENTORY, PRODUCTS = "dapr-hero-inventory:test", "dapr-hero-products:test"
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
SOURCE = "https://example.org/dapr-hero"
MEGABYTE = 1_000_000


@pytest.fixture(scope="session")
def _built() -> None:
    command = ["make", "docker-build", "TAG=test", "REGISTRY=", f"SOURCE={SOURCE}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def settings(request: pytest.FixtureRequest) -> Settings:
    mode = getattr(request, "param", Mode.CUSTOM_GRPC)
    return on_free_ports(dapr_mode=mode, unready_seconds=0.1)


def _serves(id: str) -> bool:
    """Return whether the service reports that all of its servers are up."""
    return " is ready" in docker("logs", id).stderr


@pytest.mark.parametrize("settings", list(Mode), indirect=True)
async def test_inventory_handles_an_event_in_each_mode(settings: Settings, fake: FakeSidecar) -> None:
    with container(INVENTORY, "--network=host", env=settings.environment()) as id:
        assert eventually(lambda: _serves(id))
        gadget = event(type="gadget.v1", data={"id": "g", "description": "d", "price": 1})
        assert await Deliverer(settings).one("/gadgets.v1", gadget) == "SUCCESS"
        assert list(fake.states) == ["gadget:g"]
        assert ended_well(id)


async def test_products_keeps_a_product(settings: Settings, fake: FakeSidecar) -> None:
    with container(PRODUCTS, "--network=host", env=settings.environment()) as id:
        assert eventually(lambda: _serves(id))
        assert httpx.get(f"http://127.0.0.1:{settings.products_http_port}/readyz").is_success
        async with grpc.aio.insecure_channel(f"127.0.0.1:{settings.products_port}") as channel:
            stub: ProductsAsyncStub = ProductsStub(channel)
            product = pb.Product(id="p", description="d", price="1")
            await stub.SaveProduct(
                pb.SaveProductRequest(product=pb.ProductVersion(product=product, version="1"))
            )
        assert list(fake.states) == ["product:p"]
        assert ended_well(id)


@pytest.mark.parametrize(("image", "megabytes"), [(INVENTORY, 90), (PRODUCTS, 80)])
def test_an_image_is_small(image: str, megabytes: int) -> None:
    """All layers from the newest down to the one with the app; those below are the base's."""
    layers = docker(
        "history", "--no-trunc", "--human=false", "--format={{.Size}} {{.CreatedBy}}", image
    ).stdout
    above, _, _ = layers.partition("COPY /app")
    assert sum(int(line.split()[0]) for line in above.splitlines()) <= megabytes * MEGABYTE


@pytest.mark.parametrize("service", SERVICES)
def test_an_image_needs_neither_root_nor_a_shell(service: str) -> None:
    [image] = json.loads(docker("image", "inspect", f"dapr-hero-{service}:test").stdout)
    config = image["Config"]
    assert config["User"] == "65532:65532"
    assert config["Entrypoint"] == ["/app/bin/python", "-P", "-m", f"dapr_hero.{service}"]
    assert not config.get("Cmd")
    assert "Healthcheck" not in config
    labels = {key.rpartition(".")[2]: value for key, value in config["Labels"].items()}
    assert labels.pop("description")
    assert labels == {
        "title": f"dapr-hero-{service}",
        "version": VERSION,
        "licenses": "MIT",
        "source": SOURCE,
    }


@pytest.mark.parametrize("service", SERVICES)
def test_an_image_has_the_packages_of_its_lock_and_says_so(service: str) -> None:
    code = "from importlib.metadata import *; print(*(f'{d.name}=={d.version}' for d in distributions()))"
    said = docker(
        "run", "--rm", "--entrypoint=/app/bin/python", f"dapr-hero-{service}:test", "-c", code
    ).stdout
    installed = set(said.lower().replace("_", "-").split()) - {f"dapr-hero=={VERSION}"}
    locked = {f"{key.partition(';')[0]}=={version}": key for key, version in pins(service).items()}
    # A package with a marker is for some versions of Python.
    always = {package for package, key in locked.items() if key.endswith("; ")}
    assert always <= installed <= locked.keys()


@pytest.mark.parametrize("service", SERVICES)
def test_nothing_is_compiled_at_the_start(service: str) -> None:
    """Told to be verbose, Python says of each module where its code came from."""
    verbose = ["--entrypoint=/app/bin/python", f"dapr-hero-{service}:test", "-v"]
    said = docker("run", "--rm", "--read-only", *verbose, "-c", f"import dapr_hero.{service}.__main__").stderr
    code = [line for line in said.splitlines() if line.startswith("# code object from ")]
    assert len(code) > 100
    assert [line for line in code if not line.endswith(".pyc'")] == []


def test_only_what_the_images_are_made_of_is_sent_to_docker(tmp_path: Path) -> None:
    assert (ROOT / ".env").exists()
    docker(
        "build",
        f"--output=type=local,dest={tmp_path}",
        "--file=-",
        str(ROOT),
        stdin="FROM scratch\nCOPY . /\n",
    )
    sent = {path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()}
    assert {path.parts[0] for path in sent} == {
        "LICENSE",
        "README.md",
        "hatch_build.py",
        "pyproject.toml",
        "requirements",
        "src",
    }
    assert not [path for path in sent if any(part.startswith((".", "__pycache__")) for part in path.parts)]
