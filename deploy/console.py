"""deploy: where commands print: as wide as the terminal, wide enough for our ids where there is none."""

from typing import Any

import msgspec
from rich import box
from rich.console import Console
from rich.table import Table

_WIDTH_WITHOUT_TERMINAL = 132


class Paper(Console):
    """A console that leaves a broken pipe to the command line, which knows what it means."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def paper() -> Console:
    """A console for standard output."""
    found = Paper()
    return found if found.is_terminal else Paper(width=_WIDTH_WITHOUT_TERMINAL)


def table(title: str, *columns: str) -> Table:
    """A plain table in which nothing is cut off."""
    made = Table(title=title or None, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        made.add_column(column, overflow="fold")
    return made


def print_json(found: Any) -> None:
    """What was found, for a program."""
    print(msgspec.json.encode(found).decode())
