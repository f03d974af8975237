"""The list of dead letters: for wide and narrow terminals, and for pipes."""

from collections.abc import Iterable, Iterator, Sequence

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from dapr_hero.contract.dead_letter import DeadLetter, DeadLetterState, Page
from dapr_local.printable import printable_line

_SHORT_KEY = 8
# Below this width a table would leave the reasons no room.
_TABLE_COLUMNS = 70


def show(page: Page, state: DeadLetterState, console: Console) -> None:
    """Print the letters of a page to a terminal of any width."""
    if not page.letters:
        console.print(f"no {state} dead letters")
        return
    keys = short_keys([letter.key for letter in page.letters])
    if console.width >= _TABLE_COLUMNS:
        console.print(_table(page.letters, keys))
    else:
        for letter in page.letters:
            console.print(Text(f"{keys[letter.key]}  {_time(letter)}  {letter.attempts}x", "bold"))
            console.print(Padding(Text(printable_line(letter.event_type or "?"), "cyan"), (0, 0, 0, 2)))
            console.print(Padding(Text(printable_line(letter.reason)), (0, 0, 0, 2)))
    console.print(f"{len(page.letters)} of {page.total:,} {state} dead letters", style="dim")


def lines(letters: Iterable[DeadLetter]) -> Iterator[str]:
    """Yield a line per letter for a pipe: key, time, type, attempts and reason, separated by tabs."""
    for each in letters:
        cells = [each.event_type or "?", str(each.attempts), each.reason]
        yield "\t".join([each.key, each.last_at.isoformat(), *map(printable_line, cells)])


def short_keys(keys: Sequence[str]) -> dict[str, str]:
    """Return the shortest unique beginning of each key, of at least eight characters."""
    length = _SHORT_KEY
    while len({key[:length] for key in keys}) < len(set(keys)):
        length += 1
    return {key: key[:length] for key in keys}


def _table(letters: Iterable[DeadLetter], keys: dict[str, str]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("key", no_wrap=True)
    table.add_column("last at", no_wrap=True)
    table.add_column("type", overflow="fold", max_width=16)
    table.add_column("tries", justify="right")
    table.add_column("reason", overflow="fold", ratio=1)
    for each in letters:
        cells = [Text(printable_line(text)) for text in (each.event_type or "?", each.reason)]
        table.add_row(keys[each.key], _time(each), cells[0], str(each.attempts), cells[1])
    return table


def _time(letter: DeadLetter) -> str:
    return letter.last_at.astimezone().strftime("%m-%d %H:%M")
