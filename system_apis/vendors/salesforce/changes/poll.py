"""system_apis: a cursor over what changed in a Salesforce org, which also finds what the stream lost."""

import asyncio
import datetime as dt
from itertools import chain, repeat

import msgspec

from kit import context, telemetry
from system_apis.connector import CursorStore, Receive
from system_apis.polling import in_background, poll_repeatedly
from system_apis.vendors.salesforce.changes.report import Reporter
from system_apis.vendors.salesforce.client import soql
from system_apis.vendors.salesforce.mapping.changes import SOBJECTS, SObject
from system_apis.vendors.salesforce.mapping.values import instant

_log = telemetry.log(__name__)

_FIRST_WAITS = (1.0, 2.0, 4.0, 8.0, 16.0)
_BEGINNING = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class Cursor(msgspec.Struct, frozen=True):
    """How far a poll has come, and where it began: what changed before that is none of our business."""

    at: dt.datetime
    floor: dt.datetime


class Poll:
    """Looks again and again at what changed last, with an overlap: a transaction may become visible late.

    It cannot tell our own writes: the record's last change may be ours and hide a person's, so a reader has
    to compare. What it found in the overlap before is not reported again.
    """

    def __init__(self, reporter: Reporter) -> None:
        self.name = f"{reporter.profile.name}:poll"
        self._reporter = reporter
        self._seen: dict[SObject, set[str]] = {sobject: set() for sobject in SOBJECTS}

    async def begin(self, cursor: CursorStore) -> None:
        """At the newest change: what was won before we were connected starts nothing."""
        with context.use(in_background(self.name)):
            for sobject in SOBJECTS:
                name = f"{self.name}:{sobject}"
                if await cursor.get(name) is None:
                    await cursor.set(name, msgspec.json.encode(await self._start(sobject)).decode())

    async def run(self, receive: Receive, cursor: CursorStore, stop: asyncio.Event) -> None:
        """Until `stop`; an org that is away or out of calls is waited for, what it refuses is raised."""
        usual = self._reporter.profile.changes.poll_seconds
        # While the streams are only beginning to listen, the poll looks often.
        first = (seconds for seconds in _FIRST_WAITS if seconds < usual)

        async def look() -> None:
            for sobject in SOBJECTS:
                await self._pass(sobject, receive, cursor)

        await poll_repeatedly(self.name, look, stop, chain(first, repeat(usual)))

    async def _pass(self, sobject: SObject, receive: Receive, store: CursorStore) -> None:
        name = f"{self.name}:{sobject}"
        saved = await store.get(name)
        cursor = msgspec.json.decode(saved, type=Cursor) if saved else await self._start(sobject)
        overlap = dt.timedelta(seconds=self._reporter.profile.changes.overlap_seconds)
        begin = max(cursor.floor, cursor.at - overlap)
        before, seen, at = self._seen[sobject], set[str](), cursor.at
        async for record in self._reporter.sweep(sobject, soql.later_than(begin)):
            found = self._reporter.found(sobject, record)
            await self._reporter.report(receive, (one for one in found if one.dedupe_id not in before))
            seen.update(one.dedupe_id for one in found)
            at = max(at, instant(record.system_modstamp))
        # What lies in the overlap comes again with the next look; older changes do not.
        self._seen[sobject] = seen
        moved = msgspec.json.encode(Cursor(at, cursor.floor)).decode()
        if moved != saved:
            await store.set(name, moved)

    async def _start(self, sobject: SObject) -> Cursor:
        """At the newest change: what was won before we were connected starts nothing."""
        newest = await self._reporter.client.newest(sobject)
        at = instant(newest.record.system_modstamp) if newest else _BEGINNING
        return Cursor(at, at)
