"""The order of the start: each part as soon as all that it needs is ready, the rest at the same time."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from graphlib import TopologicalSorter

from dapr_local.errors import LocalError
from dapr_local.parts.part import Part


async def start(parts: Mapping[str, Part], begin: Callable[[Part], Awaitable[None]]) -> None:
    """Call `begin` for every part, in order; needs that are not among the parts are ignored.

    The first failure cancels all that is under way, and is raised. Raises: what `begin` raises.
    """
    needs = {name: part.needs & parts.keys() for name, part in parts.items()}
    running: dict[str, asyncio.Task[None]] = {}
    try:
        async with asyncio.TaskGroup() as group:
            for name in TopologicalSorter(needs).static_order():
                before = [running[need] for need in needs[name]]
                running[name] = group.create_task(_after(before, parts[name], begin), name=name)
    except BaseExceptionGroup as errors:
        raise _first(errors) from None


async def _after(
    before: Iterable[asyncio.Task[None]], part: Part, begin: Callable[[Part], Awaitable[None]]
) -> None:
    for task in before:
        await task
    await begin(part)


def _first(errors: BaseExceptionGroup) -> BaseException:
    known, unknown = errors.split(LocalError)
    if known is None or unknown is not None:
        return errors
    error: BaseException = known
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
