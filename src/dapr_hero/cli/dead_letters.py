"""The command line `dapr-hero dead-letters`: list, show, replay or discard events that could not be stored."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from dapr_hero import settings
from dapr_hero.cli import dead_letters_list, terminal
from dapr_hero.client.answers import ClientError
from dapr_hero.client.dead_letters import DeadLettersClient
from dapr_hero.contract.dead_letter import DeadLetter, DeadLetterState, Page
from dapr_hero.contract.items import NOT_JSON
from dapr_hero.local.credentials import with_tokens
from dapr_hero.settings import Settings
from dapr_local.progress import ConsoleReport

app = typer.Typer(
    help="Events that could not be stored: list, show, replay or discard them.",
    no_args_is_help=True,
    add_completion=False,
)
console = Console()

KeyArgument = Annotated[
    str, typer.Argument(help="The key of a dead letter, or its first characters, as `list` shows it")
]
KeysArgument = Annotated[
    list[str] | None, typer.Argument(help="Keys, or their first characters; or use --all")
]
AllOption = Annotated[bool, typer.Option("--all", help="All kept dead letters")]
Act = Callable[[DeadLettersClient, str], Awaitable[None]]


@app.command(name="list")
def show_list(
    state: Annotated[
        DeadLetterState,
        typer.Option(help="kept: awaiting a decision; replayed: published again and not rejected since"),
    ] = DeadLetterState.KEPT,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Show at most this many, latest first")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for programs")] = False,
) -> None:
    """List the dead letters, the latest first."""

    async def look() -> Page:
        async with DeadLettersClient(_settings()) as client:
            return await client.page(state, limit)

    page = asyncio.run(look())
    if as_json:
        terminal.write(msgspec.json.encode(page).decode())
    elif sys.stdout.isatty():
        dead_letters_list.show(page, state, console)
    else:
        for line in dead_letters_list.lines(page.letters):
            terminal.write(line)


@app.command()
def show(key: KeyArgument) -> None:
    """Show one dead letter as JSON, with its event as it came."""

    async def look() -> DeadLetter:
        async with DeadLettersClient(_settings()) as client:
            return await client.get(key)

    terminal.write(_as_json(asyncio.run(look())))


def _settings() -> Settings:
    """Return the settings, with the token of the platform that runs with them."""
    return with_tokens(settings.load().shifted())


def _as_json(letter: DeadLetter) -> str:
    """Return the letter as indented JSON. An event that is JSON is shown as it came, numbers included."""
    shown: dict[str, object] = msgspec.to_builtins(letter)
    original = (letter.original or "").encode()
    with suppress(*NOT_JSON):
        msgspec.json.decode(original)
        shown["original"] = msgspec.Raw(original)
    return msgspec.json.format(msgspec.json.encode(shown), indent=2).decode()


@app.command()
def replay(keys: KeysArgument = None, all: AllOption = False) -> None:
    """Publish events again, for instance after a repair.

    An event that cannot be stored this time either is soon back in the list. A second replay changes nothing.
    """
    _decide("replayed", DeadLettersClient.replay, keys, all)


@app.command()
def discard(keys: KeysArgument = None, all: AllOption = False) -> None:
    """Delete dead letters for good."""
    _decide("discarded", DeadLettersClient.discard, keys, all)


def _decide(done: str, act: Act, keys: list[str] | None, all: bool) -> None:
    """Act on each letter; report at the end which ones failed."""
    if bool(keys) == all:
        raise typer.BadParameter("give either keys or --all")

    async def work() -> tuple[int, list[str]]:
        refusals: list[str] = []
        async with DeadLettersClient(_settings()) as client:
            chosen = keys or await client.keys(DeadLetterState.KEPT)
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
