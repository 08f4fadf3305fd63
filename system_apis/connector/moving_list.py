"""system_apis: a list by last change that a vendor pages by number, while every change moves a record.

Each change moves a record to the end of the list, so that a page's number is no place to continue at. The
place is an instant and an id, and each reading starts from that instant.
"""

import datetime as dt
from collections.abc import Awaitable, Callable
from typing import Generic, NamedTuple, TypeVar

from kit.database import decode_page
from system_apis.connector.paging import PageGuard, page_of
from system_apis.connector.values import utc

R = TypeVar("R")

_SECOND = dt.timedelta(seconds=1)
_BEGINNING = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)

Stamp = tuple[dt.datetime, str]
"""A record's last change, and its id."""


class Numbered(NamedTuple, Generic[R]):
    """A page of changed records, oldest change first; `more` when the vendor has further pages."""

    rows: list[R]
    more: bool


class MovingList(Generic[R]):
    """One such list: `read` gives the page of a number, of the records that changed after an instant."""

    def __init__(
        self,
        instance: str,
        what: str,
        read: Callable[[dt.datetime | None, int], Awaitable[Numbered[R]]],
        stamp: Callable[[R], Stamp],
    ) -> None:
        self._instance = instance
        self._what = what
        self._read = read
        self._stamp = stamp

    async def page(
        self, updated_since: dt.datetime | None, cursor: str | None, limit: int
    ) -> tuple[list[R], str | None]:
        """Some records after a cursor's place, and the cursor of the next ones; none is skipped."""
        place = decode_page(cursor, tuple[dt.datetime, str]) if cursor is not None else None
        since = place[0] if place else updated_since
        rows, more = await self._after(since, place, limit)
        shown, following = page_of(rows, limit, self._stamp, more=more)
        return list(shown), following

    async def _after(self, since: dt.datetime | None, place: Stamp | None, limit: int) -> Numbered[R]:
        """Changed records in order of instant and id.

        The vendor orders by instant only, in whole seconds: one that a page cuts in two is read to its end.
        """
        rows: dict[str, R] = {}
        number, guard = 1, PageGuard(self._instance, self._what)
        while True:
            changed = await self._read(_before(since), number)
            rows.update((self._stamp(row)[1], row) for row in changed.rows)
            cut = self._stamp(changed.rows[-1])[0] if changed.more else None
            ready = sorted((row for row in rows.values() if self._stamp(row)[0] != cut), key=self._order)
            beyond = [row for row in ready if self._is_beyond(row, since, place)]
            if len(beyond) > limit or not changed.more:
                return Numbered(beyond, changed.more)
            guard.turn(tuple(map(self._stamp, changed.rows)))
            number += 1

    def _is_beyond(self, row: R, since: dt.datetime | None, place: Stamp | None) -> bool:
        if place:
            return self._order(row) > _order_of(place)
        return since is None or self._stamp(row)[0] >= since

    def _order(self, row: R) -> tuple[dt.datetime, int, str]:
        return _order_of(self._stamp(row))


def _order_of(stamp: Stamp) -> tuple[dt.datetime, int, str]:
    at, ident = stamp
    return utc(at), len(ident), ident  # ids are numbers


def _before(since: dt.datetime | None) -> dt.datetime | None:
    """A second earlier: vendors do not document whether "after" includes the instant itself."""
    return since - _SECOND if since and since > _BEGINNING else None
