"""bench/read: the interfaces of the benchmark read, one per tier, declared as all others are."""

import datetime as dt
from typing import Annotated, Protocol

import msgspec
from msgspec import Meta

from contracts.canonical.values import Id, Key, Money
from contracts.operation import api, operation
from contracts.problems import NotFound


class Line(msgspec.Struct, frozen=True):
    description: str
    due: dt.date
    amount: Money
    billed: bool


class Record(msgspec.Struct, frozen=True):
    """An agreement as its system stores it."""

    id: str
    number: str
    customer: str
    start: dt.date
    end: dt.date
    lines: tuple[Line, ...]


class Summary(msgspec.Struct, frozen=True):
    """The agreement with what the flow works out of it."""

    record: Record
    value: Money
    billed: Money


class Row(msgspec.Struct, frozen=True):
    label: str
    due: dt.date
    amount: Money


class Screen(msgspec.Struct, frozen=True):
    """The agreement as one reader sees it."""

    id: str
    title: str
    start: dt.date
    end: dt.date
    value: Money
    billed: Money
    rows: tuple[Row, ...]


class Note(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something to remember of an agreement."""

    author: Key
    paragraphs: Annotated[tuple[str, ...], Meta(min_length=1, max_length=20)]


@api("system", "bench-record", version=1, summary="Records in memory")
class BenchRecord(Protocol):
    """One vendor's records."""

    @operation("GET", "/records/{record_id}", summary="Read a record", deadline=1.0, problems=(NotFound,))
    async def get_record(self, record_id: Id) -> Record:
        """The record; raises NotFound."""
        ...


@api("process", "bench-summary", version=1, summary="What a flow works out of a record")
class BenchSummary(Protocol):
    """The flow between the two."""

    @operation("GET", "/summaries/{record_id}", summary="Read a summary", problems=(NotFound,))
    async def get_summary(self, record_id: Id) -> Summary:
        """The summary; raises NotFound."""
        ...


@api("experience", "bench-screen", version=1, summary="What a reader sees of a record")
class BenchScreen(Protocol):
    """The audience."""

    @operation("GET", "/screens/{record_id}", summary="Read a screen", problems=(NotFound,))
    async def get_screen(self, record_id: Id) -> Screen:
        """The screen; raises NotFound."""
        ...

    @operation("POST", "/screens/{record_id}/notes", summary="Add a note", status=201)
    async def add_note(self, record_id: Id, body: Note) -> Note:
        """The note as it was stored."""
        ...
