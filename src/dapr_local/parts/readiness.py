"""Probes that tell whether a server is ready; one that cannot be reached is not."""

import aiohttp
import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

HTTP_TIMEOUT = aiohttp.ClientTimeout(total=6)
_GRPC_TIMEOUT_SECONDS = 2.0
# Each probe is independent: no proxy, and no back-off that an earlier probe has left.
_GRPC_OPTIONS = (("grpc.enable_http_proxy", 0), ("grpc.use_local_subchannel_pool", 1))


async def http(url: str) -> bool:
    """Return whether a GET is answered with a status from 200 to 299."""
    try:
        async with aiohttp.ClientSession(timeout=HTTP_TIMEOUT) as session, session.get(url) as response:
            return response.ok
    except (aiohttp.ClientError, OSError):
        return False


async def grpc_serving(address: str) -> bool:
    """Return whether the gRPC health service at `address` reports SERVING for the whole server."""
    async with grpc.aio.insecure_channel(address, options=_GRPC_OPTIONS) as channel:
        try:
            check = health_pb2_grpc.HealthStub(channel).Check  # type: ignore[attr-defined]
            answer = await check(health_pb2.HealthCheckRequest(), timeout=_GRPC_TIMEOUT_SECONDS)
        except grpc.aio.AioRpcError:
            return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)
