"""system_apis: lists of a vendor's query whose rows have their last change by a local clock, and an id."""

import datetime as dt
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from kit.database import decode_page
from system_apis.connector.change import Change
from system_apis.connector.cursor_poll import BEGINNING, Page, Watched
from system_apis.connector.errors import on_schema
from system_apis.connector.local_time import Place, Row, instant_of
from system_apis.connector.oracle_sql import RowSource
from system_apis.connector.own_writes import OwnWrites
from system_apis.connector.paging import keyset, page_of
from system_apis.connector.rows import record_of
from system_apis.connector.unreadable import Unreadable, why_of
from system_apis.connector.values import content_of, second_of
from system_apis.connector.wall_clock import LocalZone

T = TypeVar("T", bound=msgspec.Struct)


class LocalRows:
    """The rows of one instance, whose queries `read` executes."""

    def __init__(
        self, instance: str, zone: LocalZone, read: Callable[[str], Awaitable[Sequence[Row]]]
    ) -> None:
        self._instance = instance
        self._zone = zone
        self._read = read

    async def page(
        self, source: RowSource, updated_since: dt.datetime | None, cursor: str | None, limit: int
    ) -> tuple[Sequence[Row], str | None]:
        """A page of rows by last change, and the next one's cursor."""
        rows = await self._read(source.after(await self._start(updated_since, cursor), limit + 1))
        with on_schema(self._instance, "a row"):
            return page_of(
                rows, limit, lambda row: (dt.datetime.fromisoformat(row["changed"]), int(row["id"]))
            )

    async def _start(self, updated_since: dt.datetime | None, cursor: str | None) -> Place | None:
        """Where a list continues; a cursor has the time as the vendor wrote it, right in any zone."""
        if cursor is not None:
            changed, ident = decode_page(cursor, tuple[dt.datetime, int])
            return Place(changed.replace(tzinfo=None).isoformat(" ", "seconds"), ident)
        return Place.at(updated_since, await self._zone.current()) if updated_since else None

    async def records(
        self,
        shape: type[T],
        rows: Sequence[Row],
        column: Callable[[str, Any], Any],
        *,
        changed: str,
        more: Mapping[str, Row] | None = None,
    ) -> list[tuple[T, Row] | Unreadable]:
        """Rows as the records that they are of, `changed` being the last change there.

        `more` are columns by id that other queries brought. A row without what its record must have comes as
        unreadable; ContractViolation where it has no id, or no last change.
        """
        zone = await self._zone.current() if rows else dt.UTC
        records: list[tuple[T, Row] | Unreadable] = []
        for row in rows:
            with on_schema(self._instance, "a row"):
                at, ident = instant_of(row["changed"], zone), str(row["id"])
                whole = {**row, **(more or {}).get(row["id"], {})}
            try:
                records.append((record_of(shape, whole | {changed: at}, column), whole))
            except (LookupError, TypeError, ValueError, ArithmeticError) as error:
                records.append(Unreadable(ident, at, why_of(error)))
        return records

    def watched(
        self,
        noun: str,
        event: str,
        source: RowSource,
        size: int,
        own_writes: OwnWrites,
        records: Callable[[Sequence[Row]], Awaitable[list[tuple[Any, Row] | Unreadable]]],
    ) -> Watched:
        """A poll's list of one noun; our own writes are recognised by their recorded instants.

        A row that `records` cannot read is reported as that.

        Rows state no version, and several changes of a record may have one instant: a change is known by its
        row's content, so the `source` must have all columns that matter.
        """

        async def last() -> dt.datetime:
            rows = await self._read(source.outermost())
            return instant_of(rows[0]["changed"], await self._zone.current()) if rows else BEGINNING

        async def since(place: Place) -> list[Row]:
            return [*await self._read(source.after(place, size))]

        async def pages(begin: dt.datetime) -> AsyncIterator[Page]:
            zone = await self._zone.current()
            async for rows in keyset(self._instance, noun, since, Place.of, size, Place.at(begin, zone)):
                if rows:
                    read = zip(rows, await records(rows), strict=True)
                    yield Page.of([await change(row, record, zone) for row, record in read])

        async def change(row: Row, read: object, zone: dt.tzinfo) -> Change:
            if isinstance(read, Unreadable):
                return read.change(self._instance, noun)
            at, ident = instant_of(row["changed"], zone), row["id"]
            record = await own_writes.change(noun, ident, at)
            return Change(f"poll:{noun}:{ident}:{second_of(at)}:{content_of(row)}", event, record, at)

        return Watched(pages, last)
