"""A hand in PostgreSQL behind inventory's back."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from dapr_hero.local.data import location
from dapr_hero.settings import Settings


def run_sql(settings: Settings, statement: str) -> None:
    """As inventory."""

    asyncio.run(_fetch_value(settings, statement))


def fetch_value(settings: Settings, query: str) -> Any:
    """The first value of the first row."""
    return asyncio.run(_fetch_value(settings, query))


def originals(settings: Settings) -> list[bytes]:
    """The dead letters that are kept, each as it came."""
    return asyncio.run(_originals(settings))


def dead_letters(settings: Settings) -> list[dict[str, Any]]:
    """The kept events; those that are not JSON objects are left out. Their topic is trimmed behind them."""
    return [dict(json.loads(each)) for each in originals(settings) if each.startswith(b"{")]


async def _originals(settings: Settings) -> list[bytes]:
    async with as_inventory(settings) as connection:
        rows = await connection.fetch("SELECT original FROM dead_letters WHERE state = 'kept'")
        return [row["original"] for row in rows]


async def _fetch_value(settings: Settings, query: str) -> Any:
    async with as_inventory(settings) as connection:
        return await connection.fetchval(query)


@asynccontextmanager
async def as_inventory(settings: Settings, database: str = "inventory") -> AsyncIterator[asyncpg.Connection]:
    """With the login that inventory gets from the secret store."""
    login = json.loads((location(settings) / "secrets.json").read_text())[settings.postgres_secret]
    async with _connected(settings, login["username"], login["password"], database) as connection:
        yield connection


@asynccontextmanager
async def as_superuser(settings: Settings, database: str) -> AsyncIterator[asyncpg.Connection]:
    passwords = json.loads((location(settings) / "passwords.json").read_text())
    async with _connected(settings, "postgres", passwords["postgres_superuser"], database) as connection:
        yield connection


@asynccontextmanager
async def _connected(
    settings: Settings, user: str, password: str, database: str
) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(
        host="127.0.0.1", port=settings.postgres_port, user=user, password=password, database=database
    )
    try:
        yield connection
    finally:
        await connection.close()
