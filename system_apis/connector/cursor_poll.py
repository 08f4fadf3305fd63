"""system_apis: polls the last changes of an instance, with an overlap and a lower bound, for any vendor."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from itertools import chain, repeat
from typing import NamedTuple

import msgspec

from kit import clock, context
from system_apis.connector.change import Change
from system_apis.connector.declaration import CursorStore, Receive, ordering_key
from system_apis.connector.polling import in_background, poll_repeatedly
from system_apis.connector.profile import Polling

BEGINNING = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_COARSEST = dt.timedelta(minutes=1)  # what vendors' clocks count


class Page(NamedTuple):
    """The changes of one page, and the newest instant of its records."""

    changes: Sequence[Change]
    youngest: dt.datetime

    @classmethod
    def of(cls, changes: Sequence[Change]) -> "Page":
        """Where the records' instants are the changes'; raises ValueError for an empty page."""
        return cls(changes, max(one.at for one in changes))


async def present() -> dt.datetime:
    """The present, for a list that states no newest instant: no later than the vendor's clock has it."""
    return clock.now() - _COARSEST


class Watched(NamedTuple):
    """One list of a vendor that can be read by last change.

    `newest` is when the last change was, by the vendor's own clock, or BEGINNING; an import brings over the
    records from before, which are no news. `pages` are the changes at an instant or after it, oldest first,
    to the end.
    """

    pages: Callable[[dt.datetime], AsyncIterator[Page]]
    newest: Callable[[], Awaitable[dt.datetime]] = present


class Known(NamedTuple):
    """A state that was there at the start: its content, and the newest instant of its page."""

    content: str
    youngest: dt.datetime


class Cursor(msgspec.Struct, frozen=True):
    """A poll's position `at`, and its start `floor`: changes before the start are not reported.

    `before` are the states that were there at the start, by their dedupe ids: vendors' clocks are coarse,
    some count minutes, so a change right after the start may have an instant from before it, and that of the
    state which it replaces.
    """

    at: dt.datetime
    floor: dt.datetime
    before: dict[str, Known] = {}

    def back(self, overlap: dt.timedelta) -> dt.datetime:
        """Where to read from, to see again what may have come late."""
        return max(self.floor, self.at - overlap)

    def moved(self, at: dt.datetime, overlap: dt.timedelta) -> "Cursor":
        """The cursor at a later position; states from before are dropped once outside the overlap."""
        cursor = msgspec.structs.replace(self, at=at)
        begin = cursor.back(overlap)
        before = {name: known for name, known in self.before.items() if known.youngest >= begin}
        return msgspec.structs.replace(cursor, before=before)

    def counts(self, change: Change) -> bool:
        """Whether a change happened after the beginning."""
        known = self.before.get(change.dedupe_id)
        return change.at >= self.floor and (known is None or known.content != change.content)


class CursorPoll:
    """Polls the last changes repeatedly; the overlap covers changes that became visible late.

    One process reports a change once; the inbox recognises those of earlier processes. The position is saved
    after each page, so that a failed poll resumes there.
    """

    def __init__(
        self, name: str, watched: Mapping[str, Watched], polling: Polling, *, first: Iterable[float] = ()
    ) -> None:
        """`first` are the waits at the start, where they are shorter than the poll's."""
        self.name = name
        self._watched = watched
        self._overlap = dt.timedelta(seconds=polling.overlap_seconds)
        self._first = [seconds for seconds in first if seconds < polling.poll_seconds]
        self._wait = polling.poll_seconds
        self._reported: dict[str, dict[str, dt.datetime]] = {}

    async def begin(self, cursor: CursorStore) -> None:
        """Set the mark of each list that has none: an import brings over older records."""
        with context.use(in_background(self.name)):
            for part in self._watched:
                await self._cursor(part, cursor)

    async def run(self, receive: Receive, cursor: CursorStore, stop: asyncio.Event) -> None:
        """Until `stop`; an account that is away or out of calls is waited for, what it refuses is raised."""
        await poll_repeatedly(
            self.name, lambda: self.look(receive, cursor), stop, chain(self._first, repeat(self._wait))
        )

    async def look(self, receive: Receive, cursor: CursorStore) -> None:
        """One poll of every watched list."""
        for part in self._watched:
            await self._look_at(part, receive, cursor)

    async def _look_at(self, part: str, receive: Receive, store: CursorStore) -> None:
        cursor = await self._cursor(part, store)
        reported = self._reported.get(part, {})
        async for page in self._watched[part].pages(cursor.back(self._overlap)):
            for change in filter(cursor.counts, page.changes):
                distinct = _distinct(change, reported)
                if distinct.dedupe_id not in reported:
                    await report(receive, distinct)
                reported |= dict.fromkeys((change.dedupe_id, _state(change)), page.youngest)
            if page.youngest > cursor.at:
                cursor = await self._save(part, store, cursor.moved(page.youngest, self._overlap))
            # Changes in the overlap come again with the next poll; older ones do not.
            begin = cursor.back(self._overlap)
            reported = {name: at for name, at in reported.items() if at >= begin}
            self._reported[part] = reported

    async def _cursor(self, part: str, store: CursorStore) -> Cursor:
        saved = await store.get(self._name(part))
        if saved is not None:
            try:
                return msgspec.json.decode(saved, type=Cursor)
            except msgspec.DecodeError:  # of an older release
                pass
        return await self._save(part, store, await self._beginning(self._watched[part]))

    async def _beginning(self, watched: Watched) -> Cursor:
        newest = await watched.newest()
        if newest == BEGINNING:
            return Cursor(newest, newest)
        before = {
            change.dedupe_id: Known(change.content, page.youngest)
            async for page in watched.pages(newest)
            for change in page.changes
        }
        return Cursor(newest, newest, before)

    async def _save(self, part: str, store: CursorStore, cursor: Cursor) -> Cursor:
        await store.set(self._name(part), msgspec.json.encode(cursor).decode())
        return cursor

    def _name(self, part: str) -> str:
        return f"{self.name}:{part}" if part else self.name


def _state(change: Change) -> str:
    return f"{change.dedupe_id}:{change.content}" if change.content else change.dedupe_id


def _distinct(change: Change, reported: Mapping[str, dt.datetime]) -> Change:
    """A further state of a record within one instant is another change."""
    return change._replace(dedupe_id=_state(change)) if change.dedupe_id in reported else change


async def report(receive: Receive, change: Change) -> None:
    """Hand a change on under the key of its record."""
    key = ordering_key(change.change.instance, change.change.object, change.change.id)
    await receive(change.dedupe_id, change.type, key, change.change, change.at)
