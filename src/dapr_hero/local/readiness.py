"""The questions whose answer is yes when a part is ready; what cannot be asked yet counts as no."""

import aiohttp
import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from dapr_hero.service.health import OK

_HTTP_TIMEOUT = aiohttp.ClientTimeout(total=6)
_GRPC_TIMEOUT_SECONDS = 2.0
# Each probe is on its own: no proxy in between, no back-off left by the probe before it.
_GRPC_OPTIONS = (("grpc.enable_http_proxy", 0), ("grpc.use_local_subchannel_pool", 1))


async def http(url: str) -> bool:
    """Whether a GET answers with a status from 200 to 299."""
    try:
        async with aiohttp.ClientSession(timeout=_HTTP_TIMEOUT) as session, session.get(url) as response:
            return response.ok
    except (aiohttp.ClientError, OSError):
        return False


async def all_answer(url: str) -> bool:
    """Whether /readyz of a service of ours, at `url`, says that it is ready and all it depends on is ok."""
    try:
        async with aiohttp.ClientSession(timeout=_HTTP_TIMEOUT) as session, session.get(url) as response:
            states = (await response.json())["dependencies"].values()
            return response.ok and all(state == OK for state in states)
    except (aiohttp.ClientError, OSError):
        return False


async def grpc_serving(address: str) -> bool:
    """Whether the gRPC health service at `address` says SERVING for the server as a whole."""
    async with grpc.aio.insecure_channel(address, options=_GRPC_OPTIONS) as channel:
        try:
            check = health_pb2_grpc.HealthStub(channel).Check  # type: ignore[attr-defined]
            answer = await check(health_pb2.HealthCheckRequest(), timeout=_GRPC_TIMEOUT_SECONDS)
        except grpc.aio.AioRpcError:
            return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)
