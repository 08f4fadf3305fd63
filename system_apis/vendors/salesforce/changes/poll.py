"""system_apis: the lists of a Salesforce org that are polled, which also finds what the stream lost."""

import datetime as dt
from collections.abc import AsyncIterator
from itertools import chain, repeat

from system_apis.connector.cursor_poll import BEGINNING, CursorPoll, Page
from system_apis.vendors.salesforce.changes.report import Reporter
from system_apis.vendors.salesforce.client import soql
from system_apis.vendors.salesforce.mapping.changes import SOBJECTS, SObject
from system_apis.vendors.salesforce.mapping.values import instant

_FIRST_WAITS = (1.0, 2.0, 4.0, 8.0, 16.0)


class ChangedRecords:
    """An object's records by last change, the deleted included.

    Our own writes are not recognised: the record's last change may be ours and hide a person's, so a
    consumer has to compare.
    """

    def __init__(self, reporter: Reporter, sobject: SObject) -> None:
        self._reporter = reporter
        self._sobject: SObject = sobject

    async def newest(self) -> dt.datetime:
        """What was won before we were connected starts nothing."""
        newest = await self._reporter.client.newest(self._sobject)
        return instant(newest.record.system_modstamp) if newest else BEGINNING

    async def pages(self, since: dt.datetime) -> AsyncIterator[Page]:
        async for records in self._reporter.sweep(self._sobject, soql.since(since)):
            changes = [one for record in records for one in self._reporter.found(self._sobject, record)]
            yield Page(changes, instant(records[-1].system_modstamp))


def poll(reporter: Reporter) -> CursorPoll:
    """The poll runs often while the streams are still subscribing."""
    changes = reporter.profile.changes
    first = [seconds for seconds in _FIRST_WAITS if seconds < changes.poll_seconds]
    return CursorPoll(
        f"{reporter.profile.name}:poll",
        {sobject: ChangedRecords(reporter, sobject) for sobject in SOBJECTS},
        overlap_seconds=changes.overlap_seconds,
        waits=lambda: chain(first, repeat(changes.poll_seconds)),
    )
