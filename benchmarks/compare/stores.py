"""The content of the stores, read without Dapr: a workload counts only if all its items are stored and right."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import asyncpg
from valkey.asyncio import Valkey

from benchmarks.compare.workloads import Stored, Workload
from dapr_hero.contract.kinds import Backend, Kind
from dapr_hero.local.credentials import read_secrets
from dapr_hero.settings import Settings
from dapr_local.errors import LocalError

_KEYS_AT_ONCE = 1000


class WrongResult(LocalError):
    """The stores do not hold what the workload must leave there: speed without correctness is no result."""


class Stores:
    """PostgreSQL and Valkey, with the passwords of the platform."""

    def __init__(self, settings: Settings, valkey: Valkey, postgres: asyncpg.Connection) -> None:
        self.valkey = valkey
        self.postgres = postgres
        self._settings = settings

    async def check(self, workload: Workload) -> None:
        """Compare the stores with the workload. Raises: WrongResult, which names an item."""
        for kind, expected in workload.expected().items():
            found = await self._items(kind, workload.prefix)
            wrong = [id for id in expected.keys() | found.keys() if expected.get(id) != found.get(id)]
            if wrong:
                first = min(wrong)
                raise WrongResult(
                    f"{workload.name}: {len(wrong)} of {len(expected)} {kind.resource} are wrong or missing;"
                    f" {first} must be {expected.get(first)} and is {found.get(first)}"
                )

    async def has(self, kind: Kind, id: str) -> bool:
        """Return whether the item is stored."""
        if kind.backend is Backend.POSTGRESQL:
            query = f"SELECT true FROM {kind.resource} WHERE id = $1"  # noqa: S608
            return bool(await self.postgres.fetchval(query, id))
        return bool(await self.valkey.exists(f"{self._key_prefix(kind)}{id}"))

    def _key_prefix(self, kind: Kind) -> str:
        """Return how Dapr, and in it VersionedState, prefixes the keys of a kind."""
        if kind.backend is Backend.PRODUCTS:
            return f"{self._settings.products_app_id}||product:"
        return f"{self._settings.inventory_app_id}||{kind.name}:"

    async def _items(self, kind: Kind, prefix: str) -> Mapping[str, Stored]:
        if kind.backend is Backend.POSTGRESQL:
            query = f"SELECT id, description, price::text FROM {kind.resource} WHERE starts_with(id, $1)"  # noqa: S608
            rows = await self.postgres.fetch(query, f"{prefix}-")
            return {id: Stored(description, price) for id, description, price in rows}
        pattern = f"{self._key_prefix(kind)}{prefix}-*"
        keys = [key async for key in self.valkey.scan_iter(pattern, count=_KEYS_AT_ONCE)]
        found: dict[str, Stored] = {}
        for first in range(0, len(keys), _KEYS_AT_ONCE):
            async with self.valkey.pipeline(transaction=False) as pipeline:
                for key in keys[first : first + _KEYS_AT_ONCE]:
                    pipeline.hget(key, "data")
                entries = [json.loads(value) for value in await pipeline.execute()]
            found |= {each["id"]: Stored(each["description"], each["price"]) for each in entries}
        return found


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Stores]:
    """Connect to the stores of the platform that runs with these settings."""
    secrets = read_secrets(settings)
    login = secrets[settings.postgres_secret]
    postgres = await asyncpg.connect(
        host=login["host"],
        port=int(login["port"]),
        user=login["username"],
        password=login["password"],
        database=login["database"],
    )
    try:
        async with Valkey(port=settings.valkey_port, password=secrets["valkey"]["password"]) as valkey:
            yield Stores(settings, valkey, postgres)
    finally:
        await postgres.close()
