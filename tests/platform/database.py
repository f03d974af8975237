"""A hand in PostgreSQL behind inventory's back, with its own login."""

import asyncio
import json
from typing import Any

import asyncpg

from dapr_hero.local.data import location
from dapr_hero.settings import Settings


def run_sql(settings: Settings, statement: str) -> None:
    asyncio.run(_fetch_value(settings, statement))


def fetch_value(settings: Settings, query: str) -> Any:
    """The first value of the first row."""
    return asyncio.run(_fetch_value(settings, query))


async def _fetch_value(settings: Settings, query: str) -> Any:
    login = json.loads((location(settings) / "secrets.json").read_text())[settings.postgres_secret]
    connection = await asyncpg.connect(
        host=login["host"],
        port=settings.postgres_port,
        user=login["username"],
        password=login["password"],
        database=login["database"],
    )
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()
