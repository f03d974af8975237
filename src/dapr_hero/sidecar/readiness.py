"""Checks whether daprd is ready for calls."""

import asyncio
from http import HTTPStatus

import aiohttp

from dapr_hero.contract.errors import Unavailable
from dapr_hero.settings import Settings
from dapr_hero.sidecar import tokens


async def wait_for_sidecar(settings: Settings) -> None:
    """Wait until daprd can take calls.

    Raises:
        Unavailable: after `sidecar_timeout_seconds`.
    """
    deadline = asyncio.get_running_loop().time() + settings.sidecar_timeout_seconds
    while True:
        try:
            return await check_sidecar(settings)
        except Unavailable:
            if asyncio.get_running_loop().time() > deadline:
                raise
        await asyncio.sleep(0.05)


async def check_sidecar(settings: Settings) -> None:
    """Return if daprd can take calls now.

    `/healthz/outbound` does not depend on the app, so the app can wait for it:
    https://docs.dapr.io/reference/api/health_api/

    Raises:
        Unavailable: if daprd does not answer or is not ready.
    """
    url = f"http://{settings.dapr_host}:{settings.dapr_http_port}/v1.0/healthz/outbound"
    timeout = aiohttp.ClientTimeout(total=settings.request_timeout_seconds)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, headers=tokens.to_daprd(settings)) as session,
            session.get(url) as response,
        ):
            if response.status == HTTPStatus.NO_CONTENT:
                return
    except (aiohttp.ClientError, TimeoutError):
        pass
    raise Unavailable("daprd")
