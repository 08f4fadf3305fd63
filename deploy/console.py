r"""deploy: the one place through which commands print: data is shown as it is, never interpreted.

Names, paths and reasons are untrusted. None of them is treated as markup, or reaches the terminal as a
control sequence: a control or invisible character is printed as its escape (`\x1b`, `\u202e`).
"""

import datetime as dt
import io
import json
import re
import sys
from collections.abc import Collection, Iterable
from typing import Any, Self

import msgspec
from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.status import Status
from rich.table import Table
from rich.text import Text

from kit.texts import UNSEEN, visible

_WIDTH_WITHOUT_TERMINAL = 10_000  # a program or a file gets each row in one line
_NOT_ASCII = re.compile(r"[^\x20-\x7e]")


def lenient(*streams: Any) -> None:
    """Let streams write as an escape what their encoding does not have, where they would fail."""
    for stream in streams:
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def styled(text: str, style: str) -> Text:
    """Text in one of our styles, such as `red`."""
    return Text(visible(text), style=style)


def mark(*, ok: bool) -> Text:
    """A green tick, or a red cross."""
    return styled("✓", "green") if ok else styled("✗", "red")


def _as_data(data: Any) -> Any:
    if isinstance(data, list):
        return Text("\n").join(Text(visible(line)) for line in data)
    return Text(visible(data)) if isinstance(data, str) else data


class Sheet(Table):
    """A table whose cells are data; a list is several lines of one cell."""

    def add_row(self, *cells: Any, **given: Any) -> None:
        """Add a row of texts and lists of texts."""
        super().add_row(*map(_as_data, cells), **given)


class Paper(Console):
    """A console that prints data, and passes a broken pipe on to the command line, which handles it."""

    def __init__(self, **given: Any) -> None:
        super().__init__(markup=False, emoji=False, highlight=False, **given)

    def print(self, *objects: Any, **given: Any) -> None:
        """Print texts, each in one line, and tables."""
        super().print(*(_as_data(each) for each in objects), **given)

    def status(self, status: Any, **given: Any) -> "StatusLine":
        """A line that is shown during an operation."""
        return StatusLine(_as_data(status), console=self, **given)

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


class StatusLine(Status):
    """Such a line, whose text is data too."""

    def __enter__(self) -> Self:
        super().__enter__()
        return self

    def update(self, status: Any = None, **given: Any) -> None:
        """Put another text in its place."""
        super().update(_as_data(status), **given)


def paper() -> Paper:
    """A console for standard output."""
    paper = Paper()
    return paper if paper.is_terminal else Paper(width=_WIDTH_WITHOUT_TERMINAL)


def table(title: str, *columns: str, unbroken: Collection[str] = ()) -> Sheet:
    """A plain table in which nothing is cut off; `unbroken` columns (ids, which are copied) do not wrap."""
    made = Sheet(title=_as_data(title) or None, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        made.add_column(_as_data(column), overflow="fold", no_wrap=column in unbroken)
    return made


def minute(instant: str) -> str:
    """An instant of JSON (RFC 3339), to the minute, in UTC; a text that is none as it is."""
    try:
        return f"{dt.datetime.fromisoformat(instant).astimezone(dt.UTC):%Y-%m-%d %H:%M} UTC"
    except ValueError:
        return instant


def paragraph(text: str) -> Padding:
    """A text over as many lines as it needs, indented below what it is about."""
    return Padding(_as_data(text), (0, 0, 0, 2), expand=False)


def print_lines(*lines: str) -> None:
    """Lines for a person or a shell, each as long as it is."""
    _write(sys.stdout, map(visible, lines))


def print_errors(*lines: str) -> None:
    """The same on standard error."""
    _write(sys.stderr, map(visible, lines))


def print_json(data: Any, *, indent: int | None = None) -> None:
    """The data as JSON, for a program; control characters are escaped."""
    encoded = msgspec.json.encode(data)
    lines = (msgspec.json.format(encoded, indent=indent) if indent else encoded).decode().split("\n")
    # A terminal that has no UTF-8 gets no more than ASCII: what it cannot show must not break the JSON.
    unseen = UNSEEN if _is_utf8(sys.stdout) else _NOT_ASCII
    _write(sys.stdout, (unseen.sub(lambda one: json.dumps(one[0])[1:-1], line) for line in lines))


def _is_utf8(stream: Any) -> bool:
    return (getattr(stream, "encoding", "") or "utf-8").lower().replace("-", "") == "utf8"


def _write(stream: Any, lines: Iterable[str]) -> None:
    for line in lines:
        print(line, file=stream)
