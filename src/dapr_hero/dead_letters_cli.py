"""The command line `dapr-hero dead-letters`: look at what could not be stored, and decide about it."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from dapr_hero import settings
from dapr_hero.client import ClientError
from dapr_hero.dead_letters_client import DeadLettersClient
from dapr_hero.letters import Letter, Page, State
from dapr_hero.local.report import ConsoleReport

app = typer.Typer(
    help="Events that could not be stored: list, show, replay or discard them.", no_args_is_help=True
)
console = Console()

KeyArgument = Annotated[str, typer.Argument(help="The letter's key, as `list` shows it")]
KeysArgument = Annotated[list[str] | None, typer.Argument(help="Their keys; or use --all")]
AllOption = Annotated[bool, typer.Option("--all", help="All that are kept")]
Act = Callable[[DeadLettersClient, str], Awaitable[None]]


@app.command(name="list")
def show_list(
    state: Annotated[
        State, typer.Option(help="kept: to be decided about; replayed: published anew, and not come back")
    ] = State.KEPT,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="The latest so many")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for programs")] = False,
) -> None:
    """List the dead letters, the latest first."""

    async def look() -> Page:
        async with DeadLettersClient(settings.load().shifted()) as client:
            return await client.page(state, limit)

    page = asyncio.run(look())
    if as_json:
        sys.stdout.write(msgspec.json.encode(page).decode() + "\n")
    elif not page.letters:
        console.print(f"no dead letters are {state}")
    else:
        console.print(_table(page.letters))
        console.print(f"{len(page.letters)} of {page.total:,} that are {state}")


@app.command()
def show(key: KeyArgument) -> None:
    """Show one letter with its event as it came, as JSON."""

    async def look() -> Letter:
        async with DeadLettersClient(settings.load().shifted()) as client:
            return await client.get(key)

    letter = msgspec.to_builtins(asyncio.run(look()))
    with suppress(ValueError):  # what is not JSON is shown as the text that it is
        letter["original"] = json.loads(letter["original"])
    sys.stdout.write(json.dumps(letter, indent=2, ensure_ascii=False) + "\n")


@app.command()
def replay(keys: KeysArgument = None, all: AllOption = False) -> None:
    """Publish the events of letters anew, for instance after a repair.

    An event that cannot be stored this time either is back in the list soon. To replay one twice changes
    nothing.
    """
    _decide("replayed", DeadLettersClient.replay, keys, all)


@app.command()
def discard(keys: KeysArgument = None, all: AllOption = False) -> None:
    """Forget letters, for good."""
    _decide("discarded", DeadLettersClient.discard, keys, all)


def _decide(done: str, act: Act, keys: list[str] | None, all: bool) -> None:
    """Do it to each, and say at the end to which it could not be done."""
    if bool(keys) == all:
        raise typer.BadParameter("name the keys of letters or --all, one of the two")

    async def work() -> tuple[int, list[str]]:
        refusals: list[str] = []
        async with DeadLettersClient(settings.load().shifted()) as client:
            chosen = keys or await client.keys(State.KEPT)
            with ConsoleReport(console).track("dead letters", len(chosen), "letters") as advance:
                for key in chosen:
                    try:
                        await act(client, key)
                    except ClientError as error:
                        refusals.append(f"{key}: {error}")
                    advance(1)
        return len(chosen), refusals

    count, refusals = asyncio.run(work())
    console.print(f"{done} {count - len(refusals)} of {count}")
    if refusals:
        raise ClientError("\n".join(refusals))


def _table(found: list[Letter]) -> Table:
    table = Table()
    table.add_column("key", no_wrap=True)
    for column in ("last at", "type", "attempts", "reason"):
        table.add_column(column, overflow="fold")
    for each in found:
        at = each.last_at.strftime("%Y-%m-%d %H:%M:%S")
        # Text of strangers: shown as it is, never as markup.
        table.add_row(each.key, at, Text(each.event_type or "?"), str(each.attempts), Text(each.reason))
    return table
