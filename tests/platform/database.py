"""A hand in PostgreSQL behind inventory's back, with its own login."""

import asyncio
import json

import asyncpg

from dapr_hero.local.data import location
from dapr_hero.settings import Settings


def run_sql(settings: Settings, statement: str) -> None:
    login = json.loads((location(settings) / "secrets.json").read_text())[settings.postgres_secret]

    async def run() -> None:
        connection = await asyncpg.connect(
            host=login["host"],
            port=settings.postgres_port,
            user=login["username"],
            password=login["password"],
            database=login["database"],
        )
        await connection.execute(statement)
        await connection.close()

    asyncio.run(run())
