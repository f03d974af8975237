"""Security on the real platform: rejected callers, secrets that stay secret, and closed ports.

In two modes, one over HTTP with the SDK and one over gRPC without; the guards of all four: tests/conformance.
"""

import json
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg
import grpc
import httpx2 as httpx
import psutil
import pytest
from dapr.proto import api_service_v1, api_v1
from grpc_health.v1 import health_pb2, health_pb2_grpc

from dapr_hero.contract.mode import Mode
from dapr_hero.local.chosen_ports import on_free_ports
from dapr_hero.local.data import location
from dapr_hero.products.v1 import products_pb2 as pb
from dapr_hero.products.v1.products_pb2_grpc import ProductsStub
from dapr_hero.settings import Settings
from dapr_hero.sidecar import tokens
from dapr_hero.testing import RunningPlatform, eventually, start_platform
from dapr_local.install.runtime import DaprRuntime
from dapr_local.parts.daprd import Daprd
from tests.conformance.fake_sidecar import Deliverer
from tests.conformance.test_events_in import failure
from tests.events import event
from tests.platform.database import as_inventory, as_superuser

OK = grpc.StatusCode.OK
DENIED = grpc.StatusCode.PERMISSION_DENIED
UNAUTHENTICATED = grpc.StatusCode.UNAUTHENTICATED
POLICY = "access control policy has denied access to"


@pytest.fixture(scope="module", params=[Mode.SDK_HTTP, Mode.CUSTOM_GRPC], ids=lambda mode: mode.value)
def platform(
    request: pytest.FixtureRequest,
    dapr_runtime: DaprRuntime,
    data_dir: Path,
    caller_ports: list[int],
    intruder: Daprd,
    namesake: Daprd,
) -> Iterator[RunningPlatform]:
    """With logs that hold nothing back."""
    chosen = {"dapr_mode": request.param, "data_dir": data_dir, "log_level": "DEBUG"}
    settings = on_free_ports(besides=caller_ports, **chosen)
    with start_platform(settings, dapr_runtime, extra=[intruder, namesake], fresh=True) as running:
        yield running


class Answer(NamedTuple):
    status: Any
    text: str


def over_grpc(method: Any, request: Any, headers: dict[str, str]) -> Answer:
    try:
        method(request, metadata=tuple(headers.items()), timeout=20)
    except grpc.RpcError as error:
        return Answer(error.code(), error.details() or "")
    return Answer(OK, "")


def proxied(settings: Settings, sidecar_port: int, method: str = "GetProduct") -> Answer:
    """Return the response of products to a call over gRPC through this sidecar."""
    headers = {"dapr-app-id": settings.products_address, **tokens.to_daprd(settings)}
    with grpc.insecure_channel(f"127.0.0.1:{sidecar_port}") as channel:
        if method == "Check":
            health: Any = health_pb2_grpc.HealthStub(channel)
            return over_grpc(health.Check, health_pb2.HealthCheckRequest(), headers)
        return over_grpc(getattr(ProductsStub(channel), method), pb.GetProductRequest(id="x"), headers)


def invoked(settings: Settings, sidecar_port: int, method: str) -> Answer:
    """The same over Dapr's HTTP API."""
    url = f"http://127.0.0.1:{sidecar_port}/v1.0/invoke/{settings.products_address}/method/{method}"
    answer = httpx.post(url, headers=tokens.to_daprd(settings), timeout=20)
    return Answer(answer.status_code, answer.text)


GET_PRODUCT = "products.v1.Products/GetProduct"


def test_an_app_that_is_not_listed_cannot_call_products(platform: RunningPlatform, intruder: Daprd) -> None:
    """And inventory, in the same way, can: it is the caller that makes the difference."""
    assert proxied(platform.settings, platform.settings.dapr_grpc_port).status is OK
    _refused(proxied(platform.settings, intruder.grpc_port), DENIED)
    _refused(invoked(platform.settings, intruder.http_port, GET_PRODUCT), 403)


def test_inventory_of_another_namespace_cannot_call_products(
    platform: RunningPlatform, namesake: Daprd
) -> None:
    _refused(proxied(platform.settings, namesake.grpc_port), DENIED)
    _refused(invoked(platform.settings, namesake.http_port, GET_PRODUCT), 403)


def test_inventory_can_call_no_other_method_of_products(platform: RunningPlatform) -> None:
    _refused(proxied(platform.settings, platform.settings.dapr_grpc_port, "Check"), DENIED)
    for method in ("grpc.health.v1.Health/Check", "products.v1.Products/Other", "any"):
        _refused(invoked(platform.settings, platform.settings.dapr_http_port, method), 403)


def _refused(answer: Answer, status: Any) -> None:
    assert answer.status == status, answer
    assert POLICY in answer.text


@pytest.mark.parametrize("token", ["", "wrong"])
def test_daprd_refuses_who_has_not_its_token(platform: RunningPlatform, token: str) -> None:
    """Not tried with the token of the app: daprd 1.18 puts a wrong token of an HTTP call into its trace."""
    settings = platform.settings
    headers = {tokens.HEADER: token} if token else {}
    ours = tokens.to_daprd(settings)
    assert _metadata(settings.dapr_http_port, ours) == 200
    assert _secret(settings, settings.dapr_grpc_port, ours) is OK
    for port in (settings.dapr_http_port, settings.products_dapr_http_port):
        assert _metadata(port, headers) == 401
    for port in (settings.dapr_grpc_port, settings.products_dapr_grpc_port):
        assert _secret(settings, port, headers) is UNAUTHENTICATED
    url = f"http://127.0.0.1:{settings.dapr_http_port}/v1.0/publish/pubsub/inventory"
    assert httpx.post(url, json=event(), headers=headers).status_code == 401


def _metadata(port: int, headers: dict[str, str]) -> int:
    return httpx.get(f"http://127.0.0.1:{port}/v1.0/metadata", headers=headers).status_code


def _secret(settings: Settings, port: int, headers: dict[str, str]) -> grpc.StatusCode:
    request = api_v1.GetSecretRequest(store_name="secretstore", key=settings.postgres_secret)
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        code: grpc.StatusCode = over_grpc(api_service_v1.DaprStub(channel).GetSecret, request, headers).status
        return code


@pytest.mark.parametrize("token", ["", "wrong", "daprd's"])
async def test_the_services_refuse_who_has_not_their_token(platform: RunningPlatform, token: str) -> None:
    settings = platform.settings
    shown = settings.dapr_api_token if token == "daprd's" else token
    stranger = Deliverer(settings.model_copy(update={"app_api_token": shown}))
    for delivery in (
        stranger.one("/widgets.v1", event(id="smuggled")),
        stranger.bulk("/widgets.v1", [event(id="smuggled")]),
    ):
        assert await failure(delivery) in (401, UNAUTHENTICATED)
    with grpc.insecure_channel(f"127.0.0.1:{settings.products_port}") as channel:
        get = ProductsStub(channel).GetProduct
        metadata = {tokens.HEADER: shown} if shown else {}
        assert over_grpc(get, pb.GetProductRequest(id="x"), metadata).status is UNAUTHENTICATED
        ours = {tokens.HEADER: settings.app_api_token}
        assert over_grpc(get, pb.GetProductRequest(id="x"), ours).status is OK
    platform.publish(event(id="let in"))
    eventually(lambda: platform.get("/v1/widgets/let%20in").status_code == 200)
    assert platform.get("/v1/widgets/smuggled").status_code == 404


def test_all_listen_on_loopback_only(platform: RunningPlatform, intruder: Daprd) -> None:
    settings = platform.settings
    found = {(each.laddr.port, each.laddr.ip) for each in _listening(platform)}
    # Sentry 1.18 serves its health on every address, whatever its options.
    found -= {pair for pair in found if pair[0] == settings.sentry_health_port}
    assert {ip for _, ip in found} <= {"127.0.0.1", "::1", "::ffff:127.0.0.1"}, sorted(found)
    expected = {
        settings.inventory_port,
        settings.callback_port,
        settings.dead_letters_port,
        settings.products_port,
        settings.products_http_port,
        settings.dapr_http_port,
        settings.dapr_grpc_port,
        settings.inventory_dapr_internal_port,
        settings.inventory_dapr_metrics_port,
        settings.products_dapr_http_port,
        settings.products_dapr_grpc_port,
        settings.products_dapr_internal_port,
        settings.products_dapr_metrics_port,
        settings.valkey_port,
        settings.postgres_port,
        settings.sentry_port,
        settings.otlp_port,
        settings.zipkin_port,
        intruder.http_port,
    }
    assert expected <= {port for port, _ in found}


def _listening(platform: RunningPlatform) -> list[Any]:
    return [
        each
        for process in _processes(platform)
        for each in process.net_connections("inet")
        if each.status == psutil.CONN_LISTEN
    ]


def _processes(platform: RunningPlatform) -> list[psutil.Process]:
    parts = [psutil.Process(pid) for pid in platform.pids.values()]
    return [process for part in parts for process in (part, *part.children(recursive=True))]


def test_no_secret_is_told(platform: RunningPlatform, intruder: Daprd) -> None:
    """Neither in good times, nor by what goes wrong."""
    settings = platform.settings
    trace_id = _traced(platform)
    answers = [*_good_answers(platform), *_bad_answers(platform, intruder)]
    platform.stop("postgres")
    eventually(lambda: platform.get("/v1/widgets/any").status_code == 503)
    answers += [*_good_answers(platform), platform.get("/v1/widgets/any").text]
    platform.start("postgres")
    eventually(lambda: platform.get("/v1/widgets/any").status_code == 404)
    eventually(lambda: {"inventory", "products"} <= _services(platform, trace_id))
    logs = {path.name: path.read_text(errors="replace") for path in _logs(settings)}
    assert logs.keys() >= {f"{part}.log" for part in platform.pids}
    told = {
        "answers": "\n".join(answers),
        "processes": "\n".join(" ".join(each.cmdline()) for each in _processes(platform)),
        "traces": httpx.get(f"http://127.0.0.1:{settings.zipkin_port}/api/v2/traces?limit=1000").text,
        **logs,
    }
    for name, secret in _secrets(settings).items():
        assert [where for where, text in told.items() if secret in text] == [], name


def _traced(platform: RunningPlatform) -> str:
    """Publish an event that goes through every daprd and service; the id of its trace."""
    trace_id = secrets.token_hex(16)
    platform.publish(event("thingamajig.v1", "traced"), traceparent=f"00-{trace_id}-{'1' * 16}-01")
    return trace_id


def _services(platform: RunningPlatform, trace_id: str) -> set[str]:
    return {span["localEndpoint"]["serviceName"] for span in platform.trace(trace_id)}


def _good_answers(platform: RunningPlatform) -> list[str]:
    settings = platform.settings
    paths = ("/readyz", "/metrics", "/docs", "/openapi.json", "/healthz")
    metrics = (settings.inventory_dapr_metrics_port, settings.products_dapr_metrics_port)
    metadata = (settings.dapr_http_port, settings.products_dapr_http_port)
    return [
        *(platform.get(path).text for path in paths),
        *(_get(port, "metrics") for port in metrics),
        *(_get(port, "v1.0/metadata", tokens.to_daprd(settings)) for port in metadata),
        _get(settings.dead_letters_port, "v1/dead-letters", tokens.to_daprd(settings)),
    ]


def _bad_answers(platform: RunningPlatform, intruder: Daprd) -> list[str]:
    settings = platform.settings
    ours, daprd = tokens.to_daprd(settings), settings.dapr_http_port
    refused = ("secrets/secretstore/valkey", "secrets/secretstore/unknown", "state/statestore/a||b")
    return [
        *(platform.get(path).text for path in ("/v1/widgets/x", "/v1/widgets/", "/unknown")),
        *(_get(daprd, f"v1.0/{path}", ours) for path in refused),
        _get(daprd, "v1.0/metadata"),
        _get(settings.callback_port, "widgets.v1") if settings.dapr_mode.protocol == "http" else "",
        proxied(settings, intruder.grpc_port).text,
    ]


def _get(port: int, path: str, headers: dict[str, str] | None = None) -> str:
    return httpx.get(f"http://127.0.0.1:{port}/{path}", headers=headers).text


def _logs(settings: Settings) -> list[Path]:
    return list((location(settings) / "logs").iterdir())


def _secrets(settings: Settings) -> dict[str, str]:
    kept: dict[str, str] = json.loads((location(settings) / "passwords.json").read_text())
    assert len(kept) == 5
    return kept


def test_files_with_secrets_belong_to_the_owner_alone(platform: RunningPlatform) -> None:
    every = [secret.encode() for secret in _secrets(platform.settings).values()]
    files = [path for path in location(platform.settings).rglob("*") if path.is_file()]
    holding = [path for path in files if any(secret in path.read_bytes() for secret in every)]
    assert {path.name for path in holding} == {
        "passwords.json",
        "secrets.json",
        "valkey.conf",
        "valkey-password",
    }
    assert {stat.S_IMODE(path.stat().st_mode) for path in holding} == {0o600}


async def test_the_role_of_inventory_can_do_no_more_than_it_must(platform: RunningPlatform) -> None:
    settings = platform.settings
    async with as_inventory(settings) as connection:
        role = await connection.fetchrow("SELECT * FROM pg_roles WHERE rolname = current_user")
        assert role
        powers = ("rolsuper", "rolcreatedb", "rolcreaterole", "rolreplication", "rolbypassrls")
        assert [power for power in powers if role[power]] == []
        memberships = "SELECT count(*) FROM pg_auth_members WHERE member = current_user::regrole"
        assert await connection.fetchval(memberships) == 0
        for statement in (
            "CREATE DATABASE another",
            "CREATE ROLE another",
            "ALTER ROLE inventory SUPERUSER",
            "SELECT rolpassword FROM pg_authid",
            "SELECT pg_read_file('/etc/hostname')",
            "COPY (SELECT 1) TO PROGRAM 'true'",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)


async def test_the_role_of_inventory_reads_no_other_database(platform: RunningPlatform) -> None:
    settings = platform.settings
    async with as_superuser(settings, "postgres") as connection:
        await connection.execute("CREATE DATABASE others")
    async with as_superuser(settings, "others") as connection:
        await connection.execute("CREATE TABLE private AS SELECT 'theirs' AS what")
        assert await connection.fetchval("SELECT what FROM private") == "theirs"
    for database in ("postgres", "template1"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with as_inventory(settings, database):
                pass
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with as_inventory(settings, "others") as connection:
            await connection.fetchval("SELECT what FROM private")
